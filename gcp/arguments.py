"""Shared by the command lines: argument types that validate, and one-line errors."""

import argparse
import datetime as dt
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from gcp.dataset import Dataset
from gcp.errors import SERVICE_ERRORS as SERVICE_ERRORS
from gcp.errors import explain as explain
from schemas.families import DEFAULT_FAMILY, FAMILIES
from schemas.family import EventFamily

_PROJECT = "[a-z](?:[-a-z0-9.:]*[a-z0-9])?"
_RESOURCE_ID = "[A-Za-z][-A-Za-z0-9._~+%]{2,254}"

PROGRAM = "exam-events"

Value = TypeVar("Value")


class Parser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line, with exit code 2."""

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        """Takes argparse's options; under ``exam-events``, ``prog`` becomes that command's name."""
        if prog is not None and prog.startswith("python") and sys.argv[0].startswith(PROGRAM):
            prog = sys.argv[0]
        super().__init__(prog=prog, **options)

    def error(self, message: str) -> NoReturn:
        """Prints the message and ends the process."""
        self.exit(2, f"error: {one_line(message)}\n")

    def parse_window(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """Parses arguments; ``--start`` must be before ``--end`` if both are given."""
        args = self.parse_args(argv)
        if args.start and args.end and args.start >= args.end:
            self.error("--start must lie before --end")
        return args


def one_line(message: str) -> str:
    """The message of argparse about a wrong argument, in the form ``--name: ...``."""
    return " ".join(message.split()).removeprefix("argument ")


def checked(check: Callable[[str], Value]) -> Callable[[str], Value]:
    """Turns a function into an argument type that shows the text of its ValueError."""

    def argument(text: str) -> Value:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return argument


dataset = checked(Dataset.parse)


@checked
def moment(text: str) -> dt.datetime:
    """An RFC 3339 timestamp, in UTC."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        value = dt.datetime.min
    if value.tzinfo is None:
        raise ValueError("must be an RFC 3339 timestamp with an offset or Z")
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("must lie within the years 1 to 9999 UTC") from None


def as_text(check: Callable[[str], Value]) -> Callable[[str], str]:
    """An argument type that validates a value and returns its text unchanged."""

    def argument(text: str) -> str:
        check(text)
        return text

    return argument


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """An argument type: a whole number within these bounds."""
    bounds = f"from {least:,}" if most is None else f"from {least:,} to {most:,}"

    @checked
    def parse(text: str) -> int:
        fits = re.fullmatch("[0-9]{1,12}", text, re.ASCII) and least <= int(text)
        if not fits or (most is not None and int(text) > most):
            raise ValueError(f"must be a whole number {bounds}")
        return int(text)

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """An argument type: a decimal number within these bounds."""

    @checked
    def parse(text: str) -> float:
        digits = re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text, re.ASCII)
        if not digits or not least <= float(text) <= most:
            raise ValueError(f"must be a number from {least:,} to {most:,}")
        return float(text)

    return parse


def _resource(kind: str) -> Callable[[str], str]:
    @checked
    def name(text: str) -> str:
        if not re.fullmatch(f"projects/{_PROJECT}/{kind}/{_RESOURCE_ID}", text, re.ASCII):
            raise ValueError(f"must be projects/PROJECT/{kind}/NAME")
        return text

    return name


@checked
def ids(path: str) -> frozenset[str]:
    """The ids in a file, one per line; ``-`` is standard input.

    A line with blanks around its id counts as it stands and without them: an id may have blanks,
    and what wrote the file may have added some. Lines of nothing but blanks are left out.

    Raises:
        ValueError: it cannot be read, or holds none.
    """
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        lines = raw.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: it is not UTF-8 text") from None
    found = frozenset(
        written
        for line in lines
        if line.strip()
        for written in (line.removesuffix("\r"), line.strip())
    )
    if not found:
        raise ValueError(f"{path}: there are no ids")
    return found


@checked
def families(text: str) -> tuple[EventFamily, ...]:
    """Event families from a list of names, separated by commas; each once, in the list's order."""
    names = text.split(",")
    if unknown := [name for name in names if name not in FAMILIES]:
        raise ValueError(f"no event family {unknown[0]!r}: there are {', '.join(sorted(FAMILIES))}")
    return tuple(FAMILIES[name] for name in dict.fromkeys(names))


def add_event_family(
    parser: argparse.ArgumentParser,
    purpose: str,
    families: Callable[[str], tuple[EventFamily, ...]] = families,
) -> None:
    """Adds ``--event_family``; ``purpose`` is its help, without the default."""
    parser.add_argument(
        "--event_family",
        type=families,
        default=(DEFAULT_FAMILY,),
        metavar="NAME,...",
        help=f"{purpose} (default: {DEFAULT_FAMILY.name})",
    )


topic = _resource("topics")
subscription = _resource("subscriptions")
