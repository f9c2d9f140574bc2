"""What the commands print: rich on a terminal, sparse plain lines elsewhere."""

import contextlib
import dataclasses
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_PLAIN_WIDTH = 80
_PLAIN_STEPS = 5
# Of a table, in characters: a column's padding with its border, and the widest column.
_BORDER, _WIDEST = 3, 40


def _plain_width() -> int:
    """The width that the environment variable COLUMNS sets, or 80."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if re.fullmatch("[1-9][0-9]{0,3}", columns) else _PLAIN_WIDTH


console = Console(
    width=None if sys.stdout.isatty() else _plain_width(),
    highlight=False,
    markup=False,
    emoji=False,
    soft_wrap=True,
)


def say(text: str) -> None:
    """Prints text folded to the console's width.

    Text that a user copies goes to ``console.print``, which does not break lines.
    """
    console.print(fold(text))


def fold(text: str) -> str:
    """The text in lines of the console's width, broken between words and never within one."""
    return "\n".join(
        textwrap.fill(line, console.width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


@contextlib.contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yields a function that shows progress, given the number done; ``total`` None is unknown."""
    if not console.is_terminal:
        yield (lambda _: None) if total is None else _plain_progress(label, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def _plain_progress(label: str, total: int) -> Callable[[int], None]:
    """Prints one line for each fifth of the total."""
    shown = -1

    def show(done: int) -> None:
        nonlocal shown
        step = min(done, total) * _PLAIN_STEPS // max(total, 1)
        if step > shown:
            shown = step
            console.print(f"{label}: {done:,} of {total:,}")

    return show


@dataclasses.dataclass(frozen=True)
class _Column:
    header: str
    cells: Sequence[str]
    numeric: bool = True

    @property
    def width(self) -> int:
        """Characters. A header is broken between its words, a cell is not broken."""
        longest = max(map(cell_len, [*self.header.split(), *self.cells]), default=1)
        return min(longest, _WIDEST)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints a table, numbers to the right.

    What is wider than the console comes in parts, one below the other. Each part begins with the
    first column if its values are unique, else with the number of the row.
    """
    drawn = [
        _Column(
            name.replace("_", " "),
            [cell(row[position]) for row in rows],
            any(type(row[position]) in (int, float) for row in rows),
        )
        for position, name in enumerate(columns)
    ]
    for number, part in enumerate(_parts(drawn, len(rows), console.width)):
        table = Table(title=None if number else title, title_justify="left", title_style="bold")
        for column in part:
            table.add_column(
                column.header,
                justify="right" if column.numeric else "left",
                width=column.width,
                overflow="ellipsis",
            )
        for row in zip(*(column.cells for column in part), strict=True):
            table.add_row(*row)
        console.print(table, soft_wrap=False, crop=False)


def _parts(columns: list[_Column], rows: int, width: int) -> list[list[_Column]]:
    """The columns, split into tables of at most ``width`` characters each."""
    if _table_width(columns) <= width:
        return [columns]
    first = columns[0]
    if len(set(first.cells)) == rows:
        rest = columns[1:]
    else:
        first, rest = _Column("#", [str(number + 1) for number in range(rows)]), columns
    parts = [[first]]
    for column in rest:
        if len(parts[-1]) > 1 and _table_width([*parts[-1], column]) > width:
            parts.append([first])
        parts[-1].append(column)
    return parts


def _table_width(columns: Sequence[_Column]) -> int:
    return 1 + sum(column.width + _BORDER for column in columns)


def cell(value: Any, nothing: str = "") -> str:
    """A value formatted for a reader; ``nothing`` stands for None."""
    if value is None:
        return nothing
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
