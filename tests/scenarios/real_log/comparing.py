"""Rows against rows, by the hundred thousand."""

import itertools
from typing import Any

from tests.scenarios.real_log.oracle import Row


def same_rows(got: list[Row], want: list[Row], *key: str) -> None:
    """Asserts that both are the same rows, in any order; shows the first pair that differs.

    A plain ``==`` that fails makes pytest compare the texts of both lists where CI is set, which
    did not end in minutes for 3,000 rows that differ.

    Args:
        got: the rows found.
        want: the rows expected.
        key: the columns that identify a row.
    """

    def order(row: Row) -> list[str]:
        return [str(row[name]) for name in key]

    pairs = itertools.zip_longest(sorted(got, key=order), sorted(want, key=order))
    differing: list[tuple[Any, Any]] = [pair for pair in pairs if pair[0] != pair[1]]
    assert differing[:1] == [], f"{len(differing)} rows differ"
