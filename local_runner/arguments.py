"""The command line: what may be said, and what it means."""

import argparse
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from local_runner import exam_log
from local_runner.simulate import default_start
from schemas.warehouse import Dataset

_SIZE, _SEED = 2_500, 1

T = TypeVar("T")


def _checked(check: Callable[[str], T]) -> Callable[[str], T]:
    """Lets the text of a ValueError reach the user."""

    def checked(text: str) -> T:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _positive(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", text, re.ASCII):
        raise ValueError("must be a whole number from 1")
    return int(text)


def _exam_name(text: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_.-]{1,64}", text, re.ASCII):
        raise ValueError("must be 1 to 64 letters, digits, dots, hyphens and underscores")
    return text


def _rate(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text, re.ASCII) or not float(text):
        raise ValueError("must be a number above 0, messages per second")
    return float(text)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("must be an RFC 3339 timestamp with an offset or Z")
    return moment.astimezone(dt.UTC)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise ValueError(f"there is no file {text}")
    return Path(text)


def _topic(text: str) -> str:
    if not re.fullmatch("projects/[^/]+/topics/[^/]+", text):
        raise ValueError("must be projects/PROJECT/topics/NAME")
    return text


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The parser; what it gives names its command in ``command``."""
    root = _Parser(prog="python -m local_runner", description="The whole system on one machine.")
    commands = root.add_subparsers(required=True, dest="command", metavar="COMMAND")
    size = _Parser(add_help=False)
    size.add_argument("--messages", type=_checked(_positive), default=_SIZE, metavar="N")
    size.add_argument("--seed", type=int, default=_SEED, metavar="N")

    commands.add_parser("demo", parents=[size], help="show the whole system")

    commands.add_parser("up", help="keep the whole system running until Ctrl-C")

    traffic = commands.add_parser("simulate", parents=[size], help="simulated traffic alone")
    goal = traffic.add_mutually_exclusive_group(required=True)
    goal.add_argument("--topic", type=_checked(_topic), metavar="projects/P/topics/T")
    goal.add_argument("--output", type=Path, metavar="FILE.avro", help="an archive instead")
    traffic.add_argument(
        "--rate", type=_checked(_rate), metavar="R", help="messages per second (all at once)"
    )
    traffic.add_argument(
        "--start",
        type=_checked(_moment),
        default=default_start(),
        help="of the simulated day, RFC 3339",
    )

    log = commands.add_parser("import", help="exam logs to events")
    log.add_argument(
        "file", type=_checked(_file), help="tab-separated: milliseconds, student, question, score"
    )
    goal = log.add_mutually_exclusive_group(required=True)
    goal.add_argument("--output", type=Path, metavar="FILE.jsonl")
    goal.add_argument("--topic", type=_checked(_topic), metavar="projects/P/topics/T")
    goal.add_argument("--dataset", type=_checked(Dataset.parse), metavar="PROJECT.DATASET")
    log.add_argument(
        "--exam",
        type=_checked(_exam_name),
        help="name of the exam: letters, digits, dots, hyphens and underscores "
        "(default: the file's name)",
    )
    log.add_argument(
        "--exam_start",
        type=_checked(_moment),
        default=exam_log.default_start(),
        help="RFC 3339 (default: 30 days ago, 00:00 UTC)",
    )
    log.add_argument(
        "--duration_seconds", type=_checked(_positive), default=exam_log.DURATION_SECONDS
    )
    return root
