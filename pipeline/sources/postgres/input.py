"""What a pull is asked to read. Imports no driver, since the extra postgres may be missing."""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable

from pipeline.sources.postgres.mapping import DIMENSIONS, SourceMapping
from pipeline.sources.postgres.messages import DIMENSION_CHANGE, EXAM_EVENT, SESSION_CHANGE


class SourceError(Exception):
    """A pull cannot begin or go on; the text is the one line to show."""


@dataclasses.dataclass(frozen=True)
class PostgresInput:
    """An operational PostgreSQL to pull.

    Attributes:
        env: the environment that has its DATABASE_URL; None for the one without a name.
        mapping: its tables and columns.
        families: names of the event families that are wanted of it.
        rows_per_range: rows that are read in one go.
        wait_seconds: how long an unreachable database is waited for.
        full: whether to read everything, whatever the last pull read.
        start, end: a backfill of events from ``start`` and before ``end``, UTC.
        pseudonym_key: gives the key of pseudonyms where it is used; called on workers.
    """

    env: str | None
    mapping: SourceMapping
    families: frozenset[str]
    rows_per_range: int = 50_000
    wait_seconds: float = 300.0
    full: bool = False
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    pseudonym_key: Callable[[], bytes] | None = None

    @property
    def name(self) -> str:
        """For logs."""
        return f"PostgreSQL of environment {self.env}" if self.env else "PostgreSQL"

    @property
    def is_backfill(self) -> bool:
        """Whether it reads a window of event time, which never moves ``next_since``."""
        return self.start is not None or self.end is not None

    def tables(self) -> tuple[str, ...]:
        """The documented names of the tables whose rows are read."""
        wanted: list[str] = []
        if EXAM_EVENT in self.families:
            wanted += ["answers", "submissions", "sessions"]
        if SESSION_CHANGE in self.families:
            wanted += ["sessions"]
        if DIMENSION_CHANGE in self.families and not self.is_backfill:
            wanted += DIMENSIONS
        return tuple(name for name in dict.fromkeys(wanted) if name in self.mapping.tables)

    @property
    def reads(self) -> str:
        """16 hex digits that change with the families, tables, columns and the time zone.

        What the last pull has read says nothing about rows that are read in another way.
        """
        tables = []
        for name in sorted(self.tables()):
            table = self.mapping.tables[name]
            sets = sorted(table.optional), sorted(table.private)
            tables.append((name, table.name, table.key, sorted(table.columns.items()), sets))
        text = json.dumps([sorted(self.families), self.mapping.time_zone, tables])
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
