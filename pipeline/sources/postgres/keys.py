"""Compares keys, to find rows that the warehouse has and the database has no more."""

import bisect
import itertools
from collections.abc import Callable, Sequence

from sqlalchemy.engine import Engine

from pipeline.sources.postgres.engine import snapshot, text_cursor, wait_for_database
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.postgres.plan import Pull, check_database

_FETCHED_KEYS = 10_000
_CURSOR = "exam_events_keys"


def read_keys(engine: Engine, source: PostgresInput, pull: Pull, table: str) -> list[str]:
    """The keys that a table with a key of one column has now, to find deleted ones.

    Raises:
        SourceError: as for ``read_range``.
    """

    def keys() -> list[str]:
        with snapshot(engine) as connection:
            check_database(connection, pull)
            rows = text_cursor(connection).execute(pull.queries.keys(table)).fetchall()
            return list(itertools.chain.from_iterable(rows))

    return wait_for_database(engine, source.wait_seconds, keys)


def count_deleted(
    engine: Engine,
    source: PostgresInput,
    pull: Pull,
    table: str,
    known: Sequence[int],
    digest: Callable[[tuple[str, ...]], int],
) -> int:
    """How many of the known keys the table has no more.

    Args:
        engine: of the database.
        source: what is pulled.
        pull: the pull, to notice another database.
        table: its documented name.
        known: digests of keys, sorted, each once; read before the table is.
        digest: of a key.

    Raises:
        SourceError: as for ``read_range``.
    """

    def count() -> int:
        found = bytearray(len(known))  # so that a key takes nine bytes
        with snapshot(engine) as connection:
            check_database(connection, pull)
            with text_cursor(connection, _CURSOR) as cursor:
                cursor.execute(pull.queries.keys(table))
                while rows := cursor.fetchmany(_FETCHED_KEYS):
                    for row in rows:
                        place = bisect.bisect_left(known, key := digest(row))
                        if place < len(known) and known[place] == key:
                            found[place] = 1
        return found.count(0)

    return wait_for_database(engine, source.wait_seconds, count)
