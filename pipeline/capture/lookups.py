"""Looks up what changed rows do not have: columns of other tables, and values that were not sent.

Everything is looked up as it is now, once for a batch.
"""

import json
import logging
import time
from collections.abc import Iterable, Sequence

import msgspec
from psycopg.sql import SQL
from sqlalchemy.engine import Connection, Engine

from pipeline.capture.changes import Changed
from pipeline.sources.postgres.engine import snapshot, text_cursor
from pipeline.sources.postgres.messages import SourceRow
from pipeline.sources.postgres.queries import Queries, joined_columns

_LOG = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.02
_ID_BITS = 32
_SNAPSHOT = SQL("""
SELECT pg_snapshot_xmax(pg_current_snapshot()),
  ARRAY(SELECT pg_snapshot_xip(pg_current_snapshot()))::text""")


def complete(engine: Engine, queries: Queries, changes: Sequence[Changed]) -> list[SourceRow]:
    """The rows of changes with everything that their messages need.

    A row with a value that was not sent is left out where it is gone by now: a later change says
    that it was deleted.

    Args:
        engine: of the database.
        queries: for the tables of the rows.
        changes: in any order.

    Returns:
        As many rows or fewer, in the same order.
    """
    needs = [change for change in changes if change.unchanged or joined_columns(change.row.table)]
    if not needs:
        return [change.row for change in changes]
    transactions = {int(change.row.transaction) for change in needs}
    while True:
        with snapshot(engine) as connection:
            if _sees(connection, transactions):
                return _complete(connection, queries, changes)
        time.sleep(_PAUSE_SECONDS)


def _sees(connection: Connection, transactions: Iterable[int]) -> bool:
    """Whether these committed transactions are visible: they are in the WAL a moment earlier."""
    row = text_cursor(connection).execute(_SNAPSHOT).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM
    ahead = int(row[0])
    running = {int(text) for text in row[1].strip("{}").split(",") if text}
    # What the slot sends is the lower half; it is one of the last 2^31 transactions.
    full = (ahead + _offset(transaction - ahead) for transaction in transactions)
    return all(each < ahead and each not in running for each in full)


def _offset(difference: int) -> int:
    half = 1 << (_ID_BITS - 1)
    return (difference + half) % (1 << _ID_BITS) - half


def _complete(
    connection: Connection, queries: Queries, changes: Sequence[Changed]
) -> list[SourceRow]:
    rows: dict[int, SourceRow] = {number: change.row for number, change in enumerate(changes)}
    tables = {change.row.table for change in changes}
    for name in tables:
        lacking = {
            number: change.unchanged
            for number, change in enumerate(changes)
            if change.row.table == name and change.unchanged
        }
        if lacking:
            _fill_unchanged(connection, queries, name, rows, lacking)
        of_table = [number for number, row in rows.items() if row.table == name]
        if joined_columns(name) and of_table:
            _join(connection, queries, name, rows, of_table)
    return [rows[number] for number in sorted(rows)]


def _fill_unchanged(
    connection: Connection,
    queries: Queries,
    name: str,
    rows: dict[int, SourceRow],
    lacking: dict[int, tuple[str, ...]],
) -> None:
    table = queries.tables[name].table
    keys = [dict(zip(table.key, rows[number].key, strict=True)) for number in lacking]
    found = text_cursor(connection).execute(queries.stored(name, json.dumps(keys))).fetchall()
    stored = {
        int(number): dict(zip(table.columns, values, strict=True)) for number, *values in found
    }
    for place, (number, columns) in enumerate(lacking.items(), start=1):
        row = rows.pop(number)
        if place in stored:
            now = {column: stored[place].get(column) for column in columns}
            rows[number] = msgspec.structs.replace(row, values=row.values | now)


def _join(
    connection: Connection,
    queries: Queries,
    name: str,
    rows: dict[int, SourceRow],
    numbers: Sequence[int],
) -> None:
    columns = queries.tables[name].table.columns
    given = [
        {its: rows[number].values.get(our) for our, its in columns.items()} for number in numbers
    ]
    statement = queries.joined_of(name, json.dumps(given))
    found = text_cursor(connection).execute(statement).fetchall()
    for number, values in zip(numbers, found, strict=True):
        joined = dict(zip(joined_columns(name), values, strict=True))
        rows[number] = msgspec.structs.replace(rows[number], joined=joined)
