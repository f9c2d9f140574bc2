"""Counts messages by outcome: ``python -m pipeline.reconcile --help`` (DESIGN 6)."""

import argparse
import collections
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from google.cloud import bigquery

from gcp import arguments, queries
from gcp.clients import bigquery_client
from gcp.console import fold
from gcp.dataset import Dataset
from pipeline import fact_tables
from pipeline.counts import Counts, Found, Window
from schemas.errors import ErrorKind
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily
from schemas.tables import DEAD_LETTERS

Families: TypeAlias = Sequence[EventFamily]

NO_FAMILY = "(no family)"
# Seconds. The library's default is ten minutes; here a person waits.


def count(
    client: bigquery.Client,
    dataset: Dataset,
    window: Window | None = None,
    families: Families = (DEFAULT_FAMILY,),
) -> Counts:
    """Counts the messages of event families, or of none, that were published in the window."""
    found: dict[str | None, collections.Counter[str]] = {
        family.name: collections.Counter() for family in families
    }
    notes = dict.fromkeys(("several_events", "several_sources", "replays"), Found())
    for row in _query(client, dataset, window or Window(), families).result(**queries.CALL):
        if row["quantity"] in notes:
            notes[row["quantity"]] = Found(row["found"], row["examples"] or "")
        else:
            of_family = found.setdefault(row["event_family"], collections.Counter())
            of_family[row["quantity"]] = row["found"]
    return dataclasses.replace(
        _counts(sum(found.values(), collections.Counter())),
        several_events=notes["several_events"],
        several_sources=notes["several_sources"],
        replays=notes["replays"].number,
        by_family={name: _counts(of_family) for name, of_family in found.items()},
    )


def _counts(found: Mapping[str, int]) -> Counts:
    letters = dict(found)
    facts, duplicates, conflicts = (
        letters.pop(name, 0) for name in ("facts", "duplicates", "conflicts")
    )
    return Counts(facts, duplicates, letters, conflicts)


def estimated_bytes(
    client: bigquery.Client, dataset: Dataset, window: Window, families: Families
) -> int:
    """BigQuery's estimate of the bytes to read; 0 if it gives none."""
    return _query(client, dataset, window, families, dry_run=True).total_bytes_processed or 0


def statement(dataset: Dataset, families: Families) -> str:
    """The query over the tables of these families; see ``parameters``."""
    columns = ("event_id", "message_id", "event_date", "publish_ts")
    conflicts = (
        f"SELECT '{family.name}' AS event_family, first_publish_ts, last_publish_ts "  # noqa: S608
        f"FROM `{dataset.table(family.conflicts)}_between`(@first_date, @last_date)"
        for family in families
    )
    return dataset.statement(
        __package__,
        "reconcile.sql",
        facts=fact_tables.rows(dataset, families, *columns),
        conflicts=fact_tables.UNION.join(conflicts),
    )


def parameters(
    window: Window, families: Families
) -> list[bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter]:
    """The query parameters."""
    names = [family.name for family in families]
    return [*window.parameters, bigquery.ArrayQueryParameter("event_families", "STRING", names)]


def _query(
    client: bigquery.Client,
    dataset: Dataset,
    window: Window,
    families: Families,
    *,
    dry_run: bool = False,
) -> bigquery.QueryJob:
    return queries.start_query(
        client, statement(dataset, families), parameters(window, families), dry_run=dry_run
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; returns 0 if nothing is unaccounted for or --expected is not given."""
    args = _parse(argv)
    families = args.event_family
    window = Window.of(args.start, args.end, families)
    tables = ", ".join(family.table for family in families)
    try:
        with bigquery_client(args.dataset.project) as client:
            estimate = _size(estimated_bytes(client, args.dataset, window, families))
            reading = f"Reading {tables} and {DEAD_LETTERS} of {args.dataset}, {window.partitions}"
            print(fold(f"{reading}: {estimate}"), end="\n\n", flush=True)
            counts = count(client, args.dataset, window, families)
    except arguments.SERVICE_ERRORS as error:
        print(f"error: {arguments.explain(error)}", file=sys.stderr)
        return 1
    if len(families) == 1:
        print("\n".join([*lines(counts, args.expected), *notes(counts)]))
    else:
        print("\n".join([*lines_by_family(counts, args.expected), *map(fold, notes(counts))]))
    fault = fault_of(counts, args.expected, window, families)
    if fault is not None:
        print(f"error: {fault}", file=sys.stderr)
    return 0 if fault is None else 1


def lines(counts: Counts, published: int | None) -> list[str]:
    """The lines of the table of DESIGN 6; every error kind has one."""
    kinds = dict.fromkeys(map(str, ErrorKind), 0) | dict(counts.dead_letters)
    table: list[tuple[str, int | None]] = [
        ("published", published),
        ("facts", counts.facts),
        ("duplicates", counts.duplicates),
        ("dead letters", sum(kinds.values())),
        *((f"  {kind}", found) for kind, found in kinds.items()),
        ("unaccounted", _unaccounted(counts, published)),
        ("conflicts (among the above)", counts.conflicts),
    ]
    return [_line(name, value) for name, value in table]


def lines_by_family(counts: Counts, published: int | None) -> list[str]:
    """The same for several families: a line for each, and one for each error kind found there."""
    found = {name or NO_FAMILY: of_family for name, of_family in counts.by_family.items()}
    table = [
        f"{name:<28}{one.facts:>13,}{one.duplicates:>13,}{one.letters:>13,}{one.conflicts:>13,}"
        for name, one in [*found.items(), ("total", counts)]
    ]
    kinds = [
        f"  {name:<26}{kind:<24}{number:>14,}"
        for name, one in found.items()
        for kind, number in sorted(one.dead_letters.items())
    ]
    return [
        _line("published", published),
        "",
        f"{'':<28}{'facts':>13}{'duplicates':>13}{'dead letters':>13}{'conflicts':>13}",
        *table,
        "",
        *(["dead letters", *kinds, ""] if kinds else []),
        _line("unaccounted", _unaccounted(counts, published)),
    ]


def _unaccounted(counts: Counts, published: int | None) -> int | None:
    return None if published is None else published - counts.accounted


def _line(name: str, value: int | None) -> str:
    return f"{name:<28}{'not known' if value is None else f'{value:,}':>14}"


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


def fault_of(
    counts: Counts, published: int | None, window: Window, families: Families
) -> str | None:
    """What is wrong with the numbers, in one line; None if they add up or cannot be compared."""
    if published is None or published == counts.accounted:
        return None
    if published > counts.accounted:
        missing = published - counts.accounted
        fault = f"{missing:,} of {published:,} messages are neither fact nor dead letter"
        if window.start is None and window.end is None:
            return fault
        times = " or ".join(dict.fromkeys(filter(None, (family.event_time for family in families))))
        return (
            f"{fault}; is the {times} of an event outside the partitions read? then leave out "
            "--start and --end"
        )
    more = counts.accounted - published
    return (
        f"{more:,} messages more than were published: check --expected (replays count as "
        "published), --start and --end"
    )


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
    arguments.add_event_family(parser, "the kinds of events to count")
    return parser.parse_window(argv)


if __name__ == "__main__":
    sys.exit(main())
