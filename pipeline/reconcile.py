"""Counts messages by outcome: ``python -m pipeline.reconcile --help`` (DESIGN 6)."""

import argparse
import dataclasses
import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from google.cloud import bigquery

from gcp import arguments
from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE, MARGIN, MARGIN_DAYS
from schemas.errors import ErrorKind
from schemas.tables import DEAD_LETTERS, EVENTS_FACT

SQL = "reconcile.sql"
# Seconds. The library's default is ten minutes; here a person waits.
_CALL: dict[str, Any] = {"retry": bigquery.DEFAULT_RETRY.with_timeout(30)}
_DAYS_AFTER = dt.timedelta(days=2)


@dataclasses.dataclass(frozen=True)
class Window:
    """Publish times, UTC: from ``start`` to before ``end``; None where it is open."""

    start: dt.datetime | None = None
    end: dt.datetime | None = None

    @property
    def first_date(self) -> dt.date:
        """The first partition to read; with an open start, earlier than any."""
        if self.start is None:
            return EARLIEST_DATE
        return _within(self.start.date(), EARLIEST_DATE + MARGIN, LATEST_DATE) - MARGIN

    @property
    def last_date(self) -> dt.date:
        """The last partition of events_fact to read; with an open end, later than any."""
        if self.end is None:
            return LATEST_DATE
        return _within(self.end.date(), EARLIEST_DATE, LATEST_DATE - _DAYS_AFTER) + _DAYS_AFTER

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
    """

    facts: int
    duplicates: int
    dead_letters: Mapping[str, int]
    conflicts: int
    several_events: Found = Found()
    several_sources: Found = Found()
    replays: int = 0

    @property
    def accounted(self) -> int:
        """All messages found."""
        return self.facts + self.duplicates + sum(self.dead_letters.values())


def count(client: bigquery.Client, dataset: Dataset, window: Window | None = None) -> Counts:
    """Counts the messages that were published in the window."""
    rows = _query(client, dataset, window or Window()).result(**_CALL)
    found = {row["quantity"]: Found(row["found"], row["examples"] or "") for row in rows}
    facts, duplicates, conflicts = (
        found.pop(name).number for name in ("facts", "duplicates", "conflicts")
    )
    events, sources, replays = (
        found.pop(name, Found()) for name in ("several_events", "several_sources", "replays")
    )
    letters = {kind: row.number for kind, row in found.items()}
    return Counts(facts, duplicates, letters, conflicts, events, sources, replays.number)


def estimated_bytes(client: bigquery.Client, dataset: Dataset, window: Window) -> int:
    """BigQuery's estimate of the bytes to read; 0 if it gives none."""
    return _query(client, dataset, window, dry_run=True).total_bytes_processed or 0


def _query(
    client: bigquery.Client, dataset: Dataset, window: Window, *, dry_run: bool = False
) -> bigquery.QueryJob:
    config = bigquery.QueryJobConfig(query_parameters=window.parameters, dry_run=dry_run)
    sql = dataset.statement(__package__, SQL)
    return client.query(sql, job_config=config, job_retry=None, **_CALL)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; returns 0 if nothing is unaccounted for or --expected is not given."""
    args = _parse(argv)
    window = Window(args.start, args.end)
    try:
        with bigquery_client(args.dataset.project) as client:
            estimate = estimated_bytes(client, args.dataset, window)
            print(
                f"Reading {EVENTS_FACT} and {DEAD_LETTERS} of {args.dataset}, {window.partitions}: "
                f"{_size(estimate)}\n",
                flush=True,
            )
            counts = count(client, args.dataset, window)
    except arguments.SERVICE_ERRORS as error:
        print(f"error: {arguments.explain(error)}", file=sys.stderr)
        return 1
    print("\n".join([*lines(counts, args.expected), *notes(counts)]))
    fault = fault_of(counts, args.expected, window)
    if fault is not None:
        print(f"error: {fault}", file=sys.stderr)
    return 0 if fault is None else 1


def lines(counts: Counts, published: int | None) -> list[str]:
    """The lines of the table of DESIGN 6; every error kind has one."""
    kinds = dict.fromkeys(map(str, ErrorKind), 0) | dict(counts.dead_letters)
    unaccounted = None if published is None else published - counts.accounted
    table: list[tuple[str, int | None]] = [
        ("published", published),
        ("facts", counts.facts),
        ("duplicates", counts.duplicates),
        ("dead letters", sum(kinds.values())),
        *((f"  {kind}", found) for kind, found in kinds.items()),
        ("unaccounted", unaccounted),
        ("conflicts (among the above)", counts.conflicts),
    ]
    return [f"{name:<28}{_number(value):>14}" for name, value in table]


def notes(counts: Counts) -> list[str]:
    """Notes on the table, one per line."""
    events, sources, found = counts.several_events, counts.several_sources, []
    if events.number:
        found.append(
            f"note: {events.number:,} message_ids stand for several messages (several event_ids): "
            f"{events}"
        )
    if sources.number:
        found.append(
            f"note: {sources.number:,} message_ids have dead letters from several sources, and "
            f"count once each: {sources}; read again from an archive it is one message, else "
            "there are several"
        )
    if counts.replays:
        found.append("note: replays count as published: each is a message of its own")
    return found


def fault_of(counts: Counts, published: int | None, window: Window) -> str | None:
    """What is wrong with the numbers, in one line; None if they add up or cannot be compared."""
    if published is None or published == counts.accounted:
        return None
    if published > counts.accounted:
        missing = published - counts.accounted
        fault = f"{missing:,} of {published:,} messages are neither fact nor dead letter"
        if window == Window():
            return fault
        return (
            f"{fault}; is the client_ts of an event outside the partitions read? then leave out "
            "--start and --end"
        )
    more = counts.accounted - published
    return (
        f"{more:,} messages more than were published: check --expected (replays count as "
        "published), --start and --end"
    )


def _number(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"


def _size(estimate: int) -> str:
    return f"about {estimate / 1e6:,.1f} MB" if estimate else "bytes not known"


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m pipeline.reconcile",
        description="Counts messages by outcome. Exit code 1 where some are missing, or "
        "more were found than published; 0 where all are there, or --expected is not given.",
    )
    parser.add_argument(
        "--dataset", required=True, type=arguments.dataset, metavar="PROJECT.DATASET"
    )
    parser.add_argument(
        "--start", type=arguments.moment, help="first publish time to count, RFC 3339"
    )
    parser.add_argument(
        "--end", type=arguments.moment, help="count what was published before, RFC 3339"
    )
    parser.add_argument(
        "--expected",
        type=arguments.whole_number(0),
        metavar="N",
        help="messages published in that time, replays among them (default: not known)",
    )
    return parser.parse_window(argv)


if __name__ == "__main__":
    sys.exit(main())
