"""The interface between the sink and a way to write rows to a table."""

from collections.abc import Sequence
from typing import Protocol

from transforms.row_checker import Checked, RejectedRow
from transforms.rows import Row


class RowWriter(Protocol):
    """Writes rows of one table; it is pickled to the workers without its connection.

    ``append`` and ``flush`` wait during an outage (unreachable, overloaded, access denied, table
    missing): a row is returned as rejected only if the row itself is at fault. A writer that was
    given a column for the time of sending fills it anew whenever it sends a row.
    """

    def open(self) -> None:
        """Opens the connection; called in ``setup``."""

    def append(self, rows: Sequence[Row]) -> None:
        """Starts to write rows; blocks while too much is in flight."""

    def flush(self) -> list[RejectedRow]:
        """Waits until every appended row is written or rejected; returns the rejected ones."""

    def close(self) -> None:
        """Releases the connection; called in ``teardown``."""


def rejected_rows(checked: Checked, first: int) -> list[RejectedRow]:
    """The rows that a check rejected, their positions counted from ``first``."""
    return [RejectedRow(first + position, rejection) for position, rejection in checked.rejected]
