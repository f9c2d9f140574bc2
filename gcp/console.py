"""What the commands say: rich on a terminal, sparse plain lines elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_PLAIN_WIDTH = 140
_PLAIN_STEPS = 5

console = Console(
    width=None if sys.stdout.isatty() else _PLAIN_WIDTH,
    highlight=False,
    markup=False,
    emoji=False,
    soft_wrap=True,
)


@contextlib.contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yields a function that takes how much of ``total`` is done and shows it; None: unknown."""
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
    """One line for each fifth of the way."""
    shown = -1

    def show(done: int) -> None:
        nonlocal shown
        step = min(done, total) * _PLAIN_STEPS // max(total, 1)
        if step > shown:
            shown = step
            console.print(f"{label}: {done:,} of {total:,}")

    return show


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table with numbers to the right."""
    drawn = Table(title=title, title_justify="left", title_style="bold")
    for position, name in enumerate(columns):
        numeric = any(type(row[position]) in (int, float) for row in rows)
        drawn.add_column(name.replace("_", " "), justify="right" if numeric else "left")
    for row in rows:
        drawn.add_row(*map(cell, row))
    return drawn


def cell(value: Any, nothing: str = "") -> str:
    """A value as a person reads it; ``nothing`` stands for None."""
    if value is None:
        return nothing
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
