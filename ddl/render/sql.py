"""Pieces of rendered SQL, and the templates that they are put into."""

import string
from collections.abc import Iterable
from pathlib import Path

from sqlglot import exp

_TEMPLATES = Path(__file__).parent / "templates"


class _Template(string.Template):
    # A rendered file is a template itself, whose variables are ${...}.
    delimiter = "%"


def fill(name: str, **pieces: str) -> str:
    """The text of ``templates/<name>.sql.template`` with its pieces filled in."""
    text = (_TEMPLATES / f"{name}.sql.template").read_text(encoding="utf-8")
    return _Template(text).substitute(pieces)


def column_name(name: str) -> str:
    """The name, in backticks where it is a reserved word."""
    return exp.to_identifier(name).sql("bigquery")


def literal(text: str) -> str:
    """A string literal; ``$$`` becomes one dollar sign where the file is used."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped.replace("$", "$$")}"'


def indented(items: Iterable[str], by: int = 2) -> str:
    """Items of a list, each on lines of its own."""
    return ",\n".join(" " * by + item.replace("\n", "\n" + " " * by) for item in items)
