"""The plan of a pull: what must be read so that no row is missed, and where the next one begins.

A row is read if the transaction that wrote it may have been running when the last pull began.
Watermarks by time, by id or by window lose rows that commit late; this one loses none.
"""

import dataclasses
import datetime as dt
import itertools
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from psycopg.sql import SQL
from sqlalchemy.engine import Connection, Engine

from pipeline.sources.postgres.engine import snapshot, text_cursor, wait_for_database
from pipeline.sources.postgres.input import PostgresInput, SourceError
from pipeline.sources.postgres.queries import Queries, Selection
from pipeline.sources.postgres.tables import find_tables

_LOG = logging.getLogger(__name__)
_STANDING = dt.timedelta(hours=2)
# A transaction id has 32 bits, and half of them lie in the past; some pass during the pull.
_OLDEST = 2**31 - 2**24
_NO_LIMIT = Selection()

_POSITION = SQL("""
SELECT pg_snapshot_xmin(pg_current_snapshot()), pg_snapshot_xmax(pg_current_snapshot()),
  (SELECT system_identifier FROM pg_control_system()),
  -- The control file follows a promotion only after a checkpoint; a standby has no other source.
  CASE WHEN pg_is_in_recovery()
    THEN (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline)
          FROM pg_control_checkpoint() AS c, pg_control_recovery() AS r)
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int
  END,
  current_setting('track_commit_timestamp'), clock_timestamp()""")


@dataclasses.dataclass(frozen=True)
class PullState:
    """Where the next pull begins; stored once everything of this one is written.

    Attributes:
        next_since: every transaction before it had ended when the pull began.
        system_identifier: of the database, which transaction ids belong to.
        timeline: of the database; a promoted or restored one has another.
        standing_since: when a pull first found this ``next_since``, UTC.
        reads: what was read, see ``PostgresInput.reads``.
    """

    next_since: int
    system_identifier: str
    timeline: int
    standing_since: dt.datetime
    reads: str = ""

    def details(self) -> dict[str, Any]:
        """The state as JSON."""
        return dataclasses.asdict(self) | {"standing_since": self.standing_since.isoformat()}

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> "PullState":
        """The state of ``details``; what else is there is left out."""
        return cls(
            int(details["next_since"]),
            str(details["system_identifier"]),
            int(details["timeline"]),
            dt.datetime.fromisoformat(details["standing_since"]),
            str(details["reads"]),
        )


@dataclasses.dataclass(frozen=True)
class Pull:
    """One pull, as decided before anything is read.

    Attributes:
        state: to be stored when everything is written; None for a backfill.
        database: the system identifier and the timeline.
        selection: the rows to read.
        queries: how to read them.
        began: the publish time of its messages, UTC, by the database's clock.
    """

    state: PullState | None
    database: tuple[str, int]
    selection: Selection
    queries: Queries
    began: dt.datetime


class Range(msgspec.Struct, frozen=True):
    """Rows of a table with keys after one and up to another; None is no bound.

    Attributes:
        table: its documented name.
        number: its place among the ranges of the table, from 1.
        count: how many the table has.
    """

    table: str
    after: tuple[str, ...] | None
    up_to: tuple[str, ...] | None
    number: int = 1
    count: int = 1


def begin(engine: Engine, source: PostgresInput, last: PullState | None) -> Pull:
    """Decides what a pull reads. Nothing else may be read before.

    Args:
        engine: of ``get_engine``.
        source: what is pulled.
        last: the state that the last pull stored, or None.

    Raises:
        SourceError: the database is unreachable, refuses, or lacks a table or a column.
    """
    return wait_for_database(engine, source.wait_seconds, lambda: _begin(engine, source, last))


def _begin(engine: Engine, source: PostgresInput, last: PullState | None) -> Pull:
    # A transaction of its own: what is found later can only be more.
    with snapshot(engine) as connection:
        oldest, ahead, system, timeline, tracked, clock = _position(connection)
    began = dt.datetime.fromisoformat(clock)
    state = PullState(int(oldest), system, int(timeline), began, source.reads)
    if last is not None and last.next_since == state.next_since:
        state = dataclasses.replace(state, standing_since=last.standing_since)
        # In a database where nothing runs, it stands still for good reason.
        _warn_of_standstill(state, clock, is_idle=int(oldest) == int(ahead))
    with snapshot(engine) as connection:
        found = find_tables(connection, source.mapping)
        queries = Queries(found, source.mapping.time_zone, tracked == "on")
        for name in source.tables():
            text_cursor(connection).execute(SQL("EXPLAIN {}").format(queries.rows(name, _NO_LIMIT)))
    selection = Selection(start=source.start, end=source.end)
    if not source.is_backfill:
        reason = "--full" if source.full else why_all(last, state, int(ahead))
        if reason:
            _LOG.info("reading all rows: %s", reason)
        else:
            selection = Selection(since=last.next_since if last else None)
    return Pull(
        state=None if source.is_backfill else state,
        database=(system, int(timeline)),
        selection=selection,
        queries=queries,
        began=began,
    )


def why_all(last: PullState | None, now: PullState, next_transaction: int) -> str | None:
    """Why a pull must read everything, or None: transaction ids mean nothing elsewhere."""
    if last is None:
        return "no pull is known to have finished before"
    if last.system_identifier != now.system_identifier:
        return "the database is another one than at the last pull"
    if last.reads != now.reads:
        return "the last pull read other tables, columns or event families"
    if last.timeline != now.timeline:
        return "the database was restored or promoted since the last pull"
    if last.next_since > next_transaction:
        return "the last pull lies ahead of the database, which was restored"
    if next_transaction - last.next_since >= _OLDEST:
        return "the last pull is too many transactions ago"
    return None


def check_database(connection: Connection, pull: Pull) -> None:
    """Raises SourceError where another database answers than when the pull began."""
    _, _, system, timeline, _, _ = _position(connection)
    if (system, int(timeline)) != pull.database:
        raise SourceError(
            "the database was replaced, restored or promoted during the pull: run it again"
        )


def ranges(engine: Engine, source: PostgresInput, pull: Pull, name: str) -> Iterator[Range]:
    """Splits a table into ranges of about ``rows_per_range`` selected rows.

    The first and the last have no bound on their outer side: a row that is added meanwhile is in
    one of them.

    Raises:
        SourceError: as for ``begin``.
    """

    def cuts() -> list[tuple[str, ...]]:
        with snapshot(engine) as connection:
            statement = pull.queries.cuts(name, pull.selection, source.rows_per_range)
            return text_cursor(connection).execute(statement).fetchall()

    found = wait_for_database(engine, source.wait_seconds, cuts)
    ends = [None, *found, None]
    for number, (after, up_to) in enumerate(itertools.pairwise(ends), start=1):
        yield Range(name, after, up_to, number, len(found) + 1)


def _position(connection: Connection) -> tuple[str, ...]:
    row = text_cursor(connection).execute(_POSITION).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM
    return row


def _warn_of_standstill(state: PullState, clock: str, is_idle: bool) -> None:
    stands = dt.datetime.fromisoformat(clock) - state.standing_since
    if not is_idle and stands >= _STANDING:
        _LOG.warning(
            "a transaction has been open for %d hours, and each pull reads everything since then: "
            "look at pg_stat_activity (backend_xid) and pg_prepared_xacts",
            stands // dt.timedelta(hours=1),
        )
