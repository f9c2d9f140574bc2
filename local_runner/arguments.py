"""The command line: what may be said, and what it means."""

import re
from pathlib import Path

from gcp.arguments import Parser, checked, dataset, moment, topic, whole_number
from local_runner.traffic import exam_log
from local_runner.traffic.simulate import default_start

_SIZE, _SEED = 2_500, 1
_positive = whole_number(1)


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


def parser() -> Parser:
    """The parser; what it gives names its command in ``command``."""
    root = Parser(prog="python -m local_runner", description="The whole system on one machine.")
    commands = root.add_subparsers(required=True, dest="command", metavar="COMMAND")
    size = Parser(add_help=False)
    size.add_argument("--messages", type=_positive, default=_SIZE, metavar="N")
    size.add_argument("--seed", type=int, default=_SEED, metavar="N")

    commands.add_parser("demo", parents=[size], help="show the whole system")

    commands.add_parser("up", help="keep the whole system running until Ctrl-C")

    traffic = commands.add_parser("simulate", parents=[size], help="simulated traffic alone")
    goal = traffic.add_mutually_exclusive_group(required=True)
    goal.add_argument("--topic", type=topic, metavar="projects/P/topics/T")
    goal.add_argument("--output", type=Path, metavar="FILE.avro", help="an archive instead")
    traffic.add_argument(
        "--rate", type=checked(_rate), metavar="R", help="messages per second (all at once)"
    )
    traffic.add_argument(
        "--start",
        type=moment,
        default=default_start(),
        help="of the simulated day, RFC 3339",
    )

    log = commands.add_parser("import", help="exam logs to events")
    log.add_argument(
        "file", type=checked(_file), help="tab-separated: milliseconds, student, question, score"
    )
    goal = log.add_mutually_exclusive_group(required=True)
    goal.add_argument("--output", type=Path, metavar="FILE.jsonl")
    goal.add_argument("--topic", type=topic, metavar="projects/P/topics/T")
    goal.add_argument("--dataset", type=dataset, metavar="PROJECT.DATASET")
    log.add_argument(
        "--exam",
        type=checked(_exam_name),
        help="name of the exam: letters, digits, dots, hyphens and underscores "
        "(default: the file's name)",
    )
    log.add_argument(
        "--exam_start",
        type=moment,
        default=exam_log.default_start(),
        help="RFC 3339 (default: 30 days ago, 00:00 UTC)",
    )
    log.add_argument("--duration_seconds", type=_positive, default=exam_log.DURATION_SECONDS)
    return root
