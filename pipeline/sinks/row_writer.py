"""What the sink asks of a way to write rows to a table."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

from transforms.row_checker import Checked
from transforms.rows import Row


@dataclasses.dataclass(frozen=True)
class RefusedRow:
    """A row that the table does not take.

    Attributes:
        index: its position among the rows appended since the last flush.
        reason: in BigQuery's words where they are BigQuery's; may quote the row.
        field: the column at fault, where there is a single one.
    """

    index: int
    reason: str
    field: str | None = None


class RowWriter(Protocol):
    """Writes rows of one table; it travels to the workers, without its connection.

    An outage (unreachable, overloaded, access refused, table missing) is waited out inside
    ``append`` or ``flush``: a row comes back only where it is itself at fault.
    """

    def open(self) -> None:
        """Called in ``setup``."""

    def append(self, rows: Sequence[Row]) -> None:
        """Begins to write rows; blocks while too much is under way."""

    def flush(self) -> list[RefusedRow]:
        """Waits until every appended row is written or refused; gives the refused ones."""

    def close(self) -> None:
        """Called in ``teardown``."""


def refused_rows(checked: Checked, first: int) -> list[RefusedRow]:
    """What the check refuses of an append whose rows stand from ``first`` on."""
    return [
        RefusedRow(first + bad.index, f"invalid: {bad.reason}", bad.field) for bad in checked.bad
    ]
