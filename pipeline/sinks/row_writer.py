"""What the sink asks of a way to write rows to a table."""

from collections.abc import Sequence
from typing import Protocol

from transforms.row_checker import Checked, RejectedRow
from transforms.rows import Row


class RowWriter(Protocol):
    """Writes rows of one table; it travels to the workers, without its connection.

    An outage (unreachable, overloaded, access refused, table missing) is waited out inside
    ``append`` or ``flush``: a row comes back only where it is itself at fault.
    """

    def open(self) -> None:
        """Called in ``setup``."""

    def append(self, rows: Sequence[Row]) -> None:
        """Begins to write rows; blocks while too much is under way."""

    def flush(self) -> list[RejectedRow]:
        """Waits until every appended row is written or rejected; gives the rejected ones."""

    def close(self) -> None:
        """Called in ``teardown``."""


def rejected_rows(checked: Checked, first: int) -> list[RejectedRow]:
    """What the check rejects of an append whose rows stand from ``first`` on."""
    return [RejectedRow(first + position, rejection) for position, rejection in checked.rejected]
