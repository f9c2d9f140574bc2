"""Messages by outcome, and the window of publish times in which they are counted (DESIGN 6)."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping

from google.cloud import bigquery

from schemas.dates import EARLIEST_DATE, LATEST_DATE, MARGIN, MARGIN_DAYS
from schemas.family import EventFamily

_DAYS_AFTER = 2


@dataclasses.dataclass(frozen=True)
class Window:
    """Publish times, UTC: from ``start`` to before ``end``; None where it is open.

    Attributes:
        days_after: how far behind ``end`` the last event may lie.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None
    days_after: int = _DAYS_AFTER

    @classmethod
    def of(
        cls, start: dt.datetime | None, end: dt.datetime | None, families: Iterable[EventFamily]
    ) -> "Window":
        """The window in which the events of these families lie, future ones included."""
        ahead = max((family.max_ahead_days or 0 for family in families), default=0)
        return cls(start, end, max(_DAYS_AFTER, ahead + 1))

    @property
    def first_date(self) -> dt.date:
        """The first partition to read; with an open start, earlier than any."""
        if self.start is None:
            return EARLIEST_DATE
        return _within(self.start.date(), EARLIEST_DATE + MARGIN, LATEST_DATE) - MARGIN

    @property
    def last_date(self) -> dt.date:
        """The last partition of facts to read; with an open end, later than any."""
        if self.end is None:
            return LATEST_DATE
        after = dt.timedelta(days=self.days_after)
        return _within(self.end.date(), EARLIEST_DATE, LATEST_DATE - after) + after

    @property
    def partitions(self) -> str:
        """The partitions, described for the user."""
        if self.start is None and self.end is None:
            return "all partitions"
        first = f" from {self.first_date}" if self.start else ""
        last = f" to {self.last_date}" if self.end else ""
        letters = ", of dead letters up to today's" if self.end else ""
        return f"partitions{first}{last} (for conflicts {MARGIN_DAYS} days more){letters}"

    @property
    def parameters(self) -> list[bigquery.ScalarQueryParameter]:
        """The query parameters."""
        start = self.start or dt.datetime.min.replace(tzinfo=dt.UTC)
        end = self.end or dt.datetime.max.replace(tzinfo=dt.UTC)
        return [
            bigquery.ScalarQueryParameter("first_date", "DATE", self.first_date),
            bigquery.ScalarQueryParameter("last_date", "DATE", self.last_date),
            bigquery.ScalarQueryParameter("start", "TIMESTAMP", start),
            bigquery.ScalarQueryParameter("end", "TIMESTAMP", end),
        ]


def _within(date: dt.date, first: dt.date, last: dt.date) -> dt.date:
    return min(max(date, first), last)


@dataclasses.dataclass(frozen=True)
class Found:
    """A number and, for message ids, the first five."""

    number: int = 0
    examples: str = ""

    def __str__(self) -> str:
        more = ", ..." if self.examples.count(", ") + 1 < self.number else ""
        return f"{self.examples}{more}"


@dataclasses.dataclass(frozen=True)
class Counts:
    """Messages found in the warehouse, each counted once.

    Attributes:
        facts: distinct events.
        duplicates: messages beyond the first of their event.
        dead_letters: messages that are not facts, by error kind.
        conflicts: events whose copies differ; their messages are counted above.
        several_events: message ids with more than one event_id, in either table.
        several_sources: message ids of dead letters from more than one source.
        replays: dead letters that are replays, or that became facts by a replay, as far as the
            tables show it.
        by_family: what of the first four is of each event family; None: dead letters of no family.
    """

    facts: int
    duplicates: int
    dead_letters: Mapping[str, int]
    conflicts: int
    several_events: Found = Found()
    several_sources: Found = Found()
    replays: int = 0
    by_family: Mapping[str | None, "Counts"] = dataclasses.field(default_factory=dict)

    @property
    def letters(self) -> int:
        """Dead letters of all kinds."""
        return sum(self.dead_letters.values())

    @property
    def accounted(self) -> int:
        """All messages found."""
        return self.facts + self.duplicates + self.letters
