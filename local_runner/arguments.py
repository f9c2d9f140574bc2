"""The command line: options, their values and their help."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from gcp import arguments
from gcp.arguments import Parser, checked, dataset, moment, topic, whole_number
from gcp.environments import environment_name
from local_runner.emulators.ports import Ports
from local_runner.traffic import exam_log
from local_runner.traffic.events import DAY_HOURS
from local_runner.traffic.simulate import default_start
from pipeline.options import distinct_families
from schemas.families import FAMILIES

_SIZE, _SEED = 2_500, 1
_positive = whole_number(1)
_port = whole_number(1, 65_535)

_LOG_FORMAT = """\
FILE has no header. A line is one submission, in four tab-separated columns:
  milliseconds  since the student opened the exam; negative with a wrong clock
  student       id of the student; one student is one session
  question      id of the question
  score         from 0 to 1; only 1 is a correct answer
For instance (the gaps are tabs):
  61500\ts1042\tq3_1\t0.5
Lines that do not parse are reported with their number and skipped.
"""


def _exam_name(text: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_.-]{1,64}", text, re.ASCII):
        raise ValueError("must be 1 to 64 letters, digits, dots, hyphens and underscores")
    return text


def _rate(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text, re.ASCII) or not float(text):
        raise ValueError("must be a number above 0, messages per second")
    return float(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise ValueError(f"there is no file {text}")
    return Path(text)


def _output(suffix: str) -> Callable[[str], Path]:
    """An argument type: a file to write, with the name that ``--input`` takes."""

    @checked
    def parse(text: str) -> Path:
        path = Path(text)
        if path.suffix != suffix:
            raise ValueError(f"must end in {suffix}")
        if not path.parent.is_dir():
            raise ValueError(f"there is no folder {path.parent}")
        if path.is_dir():
            raise ValueError(f"{text} is a folder")
        return path

    return parse


def _folder(text: str) -> Path:
    if Path(text).exists() and not Path(text).is_dir():
        raise ValueError(f"{text} is not a folder")
    return Path(text)


def _ports(text: str) -> Ports:
    try:
        pubsub, bigquery, grpc = map(_port, text.split(","))
    except (ValueError, argparse.ArgumentTypeError):
        raise ValueError("must be three port numbers from 1 to 65,535: 8085,9050,9060") from None
    if len({pubsub, bigquery, grpc}) < 3:
        raise ValueError("must be three different port numbers")
    return Ports(pubsub, bigquery, grpc)


def parser() -> Parser:
    """The parser; its result names the command in ``command``."""
    root = Parser(prog="python -m local_runner", description="The whole system on one machine.")
    commands = root.add_subparsers(required=True, dest="command", metavar="COMMAND")
    size = Parser(add_help=False)
    size.add_argument(
        "--messages",
        type=_positive,
        default=_SIZE,
        metavar="N",
        help="number of messages, at least 1 (default: %(default)s)",
    )
    size.add_argument(
        "--seed",
        type=int,
        default=_SEED,
        metavar="N",
        help="whole number; the same seed gives the same messages (default: %(default)s)",
    )
    family = _family_option()
    commands.add_parser(
        "demo",
        parents=[size, family],
        help="show the whole system",
        description="Streams a simulated day through the pipeline, between emulators of its own, "
        "compares what was sent with the tables, and writes build/report.html.",
    )
    _add_up(
        commands.add_parser(
            "up", parents=[family], help="keep the whole system running until Ctrl-C"
        )
    )
    _add_simulate(
        commands.add_parser("simulate", parents=[size, family], help="simulated traffic alone")
    )
    _add_import(commands.add_parser("import", help="exam logs to events"))
    return root


def _family_option() -> Parser:
    family = Parser(add_help=False)
    names = ", ".join(sorted(FAMILIES))
    purpose = f"the kinds of events, mixed on one topic: one or more of {names}"
    arguments.add_event_family(family, purpose, distinct_families)
    return family


def _add_up(up: argparse.ArgumentParser) -> None:
    up.description = (
        "Starts the emulators, the pipeline and the dashboard, creates topics and tables, and "
        "shows their counts until Ctrl-C or SIGTERM."
    )
    up.add_argument(
        "--ports",
        type=checked(_ports),
        metavar="PUBSUB,BIGQUERY,GRPC",
        help="TCP ports of the emulators on 127.0.0.1: Pub/Sub, BigQuery's REST API and its "
        "Storage Write API (default: free ports, others in each run)",
    )
    up.add_argument(
        "--keep",
        type=checked(_folder),
        metavar="DIR",
        help="folder for the tables, made where it is missing; the next run with it goes on with "
        "them. Topics and messages that no table has yet are lost (default: nothing is kept)",
    )
    up.add_argument(
        "--no_pipeline",
        action="store_true",
        help="emulators, topics and tables only; prints the command of a pipeline with "
        "--micro_batch to start by hand (default: the pipeline runs)",
    )
    up.add_argument(
        "--postgres",
        action="store_true",
        help="a school's PostgreSQL too, filled, with an app that keeps answering: the database "
        "that DATABASE_URL names, else a new one that is deleted at the end (default: none)",
    )
    up.add_argument(
        "--env",
        type=environment_name,
        metavar="NAME",
        help="with --postgres: take DATABASE_URL from .env.NAME, or from .env where there is none "
        "(default: .env)",
    )


def _add_simulate(simulate: argparse.ArgumentParser) -> None:
    simulate.description = "Publishes simulated messages to a topic, or writes them to a file."
    goal = simulate.add_mutually_exclusive_group(required=True)
    goal.add_argument(
        "--topic", type=topic, metavar="TOPIC", help="topic to publish to: projects/P/topics/T"
    )
    goal.add_argument(
        "--output",
        type=_output(".avro"),
        metavar="FILE.avro",
        help="file to write instead, as Pub/Sub archives messages; overwritten",
    )
    simulate.add_argument(
        "--rate",
        type=checked(_rate),
        metavar="R",
        help="messages per second, for --topic (default: as fast as the topic takes them)",
    )
    simulate.add_argument(
        "--start",
        type=moment,
        default=default_start(),
        metavar="TIME",
        help="when the simulated day begins, RFC 3339 with an offset or Z "
        f"(default: {DAY_HOURS} hours ago, on the hour)",
    )


def _add_import(log: argparse.ArgumentParser) -> None:
    log.formatter_class = argparse.RawDescriptionHelpFormatter
    # argparse cannot break the line within the three.
    log.usage = """%(prog)s [-h] [--exam NAME] [--exam_start TIME]
         [--duration_seconds N]
         (--output FILE.jsonl | --topic TOPIC | --dataset PROJECT.DATASET)
         FILE"""
    log.description = "Turns an exam log into events."
    log.epilog = _LOG_FORMAT
    log.add_argument("file", type=checked(_file), metavar="FILE", help="exam log, see below")
    goal = log.add_mutually_exclusive_group(required=True)
    goal.add_argument(
        "--output",
        type=_output(".jsonl"),
        metavar="FILE.jsonl",
        help="file to write, one event a line; overwritten",
    )
    goal.add_argument(
        "--topic", type=topic, metavar="TOPIC", help="topic to publish to: projects/P/topics/T"
    )
    goal.add_argument(
        "--dataset",
        type=dataset,
        metavar="PROJECT.DATASET",
        help="dataset to load into, through the pipeline; it has its tables already",
    )
    log.add_argument(
        "--exam",
        type=checked(_exam_name),
        metavar="NAME",
        help="name of the exam, which is its test_id: letters, digits, dots, hyphens and "
        "underscores (default: the file's name)",
    )
    log.add_argument(
        "--exam_start",
        type=moment,
        default=exam_log.default_start(),
        metavar="TIME",
        help="when every student opened it, RFC 3339 with an offset or Z "
        "(default: 30 days ago, 00:00 UTC)",
    )
    log.add_argument(
        "--duration_seconds",
        type=_positive,
        default=exam_log.DURATION_SECONDS,
        metavar="N",
        help="how long a session lasts, in seconds (default: %(default)s)",
    )
