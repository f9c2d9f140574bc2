"""Reads the rows of a range."""

import logging
import time
from collections.abc import Iterator

import psycopg
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from pipeline.sources.postgres.engine import (
    explain,
    is_recovery_conflict,
    is_unreachable,
    place,
    snapshot,
    text_cursor,
)
from pipeline.sources.postgres.input import PostgresInput, SourceError
from pipeline.sources.postgres.messages import SourceRow
from pipeline.sources.postgres.plan import Pull, Range, check_database
from pipeline.sources.postgres.queries import joined_columns

_LOG = logging.getLogger(__name__)
_FETCHED_ROWS = 5_000
_CURSOR = "exam_events_pull"
_PAUSE_SECONDS = 0.5


def read_range(
    engine: Engine, source: PostgresInput, pull: Pull, part: Range
) -> Iterator[SourceRow]:
    """The rows of a range, by a cursor on the server.

    Where a standby cancels the query, or the connection is lost, it goes on after the last row: a
    change before that one is the next pull's.

    Raises:
        SourceError: the database stays unreachable, or refuses.
    """
    after, lost_at = part.after, None
    while True:
        try:
            for row in _read(engine, pull, Range(part.table, after, part.up_to)):
                yield row
                after, lost_at = row.key, None
            return
        except (psycopg.Error, DBAPIError) as error:
            if not is_recovery_conflict(error) and not is_unreachable(engine, error):
                raise SourceError(explain(error)) from None
            lost_at = lost_at or time.monotonic()
            if time.monotonic() - lost_at > source.wait_seconds:
                raise SourceError(
                    f"{place(engine)}: reading {part.table} was interrupted for "
                    f"{source.wait_seconds:g} s: {explain(error)}"
                ) from None
            _LOG.warning("reading %s was interrupted: it goes on", part.table)
        time.sleep(_PAUSE_SECONDS)


def _read(engine: Engine, pull: Pull, part: Range) -> Iterator[SourceRow]:
    keys = len(pull.queries.tables[part.table].table.key)
    own = tuple(pull.queries.tables[part.table].table.columns)
    joined = joined_columns(part.table)
    first_joined = keys + 2 + len(own)
    statement = pull.queries.rows(part.table, pull.selection, part.after, part.up_to)
    with snapshot(engine) as connection:
        check_database(connection, pull)
        with text_cursor(connection, _CURSOR) as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(_FETCHED_ROWS):
                for row in rows:
                    yield SourceRow(
                        table=part.table,
                        key=row[:keys],
                        transaction=row[keys],
                        committed=row[keys + 1],
                        values=dict(zip(own, row[keys + 2 : first_joined], strict=True)),
                        joined=dict(zip(joined, row[first_joined:], strict=True)),
                    )
