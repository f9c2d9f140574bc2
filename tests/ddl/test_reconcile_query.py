"""The query of reconcile, through both engines: which messages it counts."""

import datetime as dt

import pytest

from gcp.dataset import Dataset
from pipeline import reconcile
from pipeline.counts import Window
from schemas.families import DEFAULT_FAMILY, FAMILIES
from tests.ddl.golden import Row
from tests.ddl.googlesql import GoogleSql
from tests.ddl.operations import DAY, Run, fact, letter

ZERO = dict.fromkeys(("facts", "duplicates", "conflicts"), 0)


def found(run: Run, window: Window, tables: dict[str, list[Row]]) -> list[Row]:
    families = (DEFAULT_FAMILY,)
    return run(
        lambda dataset: reconcile.statement(dataset, families),
        tables,
        reconcile.parameters(window, families),
    )


def counted(run: Run, window: Window, tables: dict[str, list[Row]]) -> dict[str, int]:
    return ZERO | {row["quantity"]: int(row["found"]) for row in found(run, window, tables)}


def test_each_message_counts_once(run: Run) -> None:
    tables = {
        "events_fact": [
            fact("e1", "m1"),
            fact("e1", "m1", ingest_ts="2026-03-05T00:00:00Z"),  # written twice
            fact("e1", "m2", answer="changed"),  # a conflict
            fact("e2", "m3"),
            fact("e2", "m4"),
        ],
        "dead_letters": [
            letter("m5", "not_json"),
            letter("m5", "not_json"),  # written twice
            letter("m6", "not_json"),
            letter("m7", "store_error"),
            letter("m8", "schema_violation"),
            letter("m8", "not_json"),  # reported twice, in two ways
            letter("m1", "internal_error"),  # also a fact
        ],
    }
    assert counted(run, Window(), tables) == {
        "facts": 2,
        "duplicates": 2,
        "conflicts": 1,
        "not_json": 3,
        "store_error": 1,
    }


def test_a_window_is_of_publish_times_and_reads_the_partitions_around_it(run: Run) -> None:
    window = Window(DAY, DAY + dt.timedelta(hours=1))
    early, late = "2026-02-22T00:00:00Z", "2026-03-04T00:00:00Z"
    tables = {
        "events_fact": [
            fact("before", "m1", -0.01),
            fact("first", "m2", 0),
            fact("last", "m3", 0.99),
            fact("after", "m4", 1),
            fact("old", "m5", client_ts=early),
            fact("too-old", "m6", client_ts="2026-02-21T23:59:59Z"),
            fact("ahead", "m7", client_ts=late),
            fact("too-far-ahead", "m8", client_ts="2026-03-05T00:00:00Z"),
            fact("conflict-before", "m9", -2),
            fact("conflict-before", "m10", -1, answer="changed"),
            fact("conflict-across", "m11", -2),
            fact("conflict-across", "m12", 0.5, answer="changed"),
        ],
        "dead_letters": [
            letter("d1", "not_json", -0.01),
            letter("d2", "not_json", 0),
            letter("d3", "not_json", 1),
            letter("d4", "store_error", 0.5, failed_at=late),
            letter("d5", "store_error", 0.5, failed_at="2026-04-05T00:00:00Z"),  # a backlog
        ],
    }
    assert counted(run, window, tables) == {
        "facts": 5,
        "duplicates": 0,
        "conflicts": 1,
        "not_json": 1,
        "store_error": 2,
    }


def test_empty_tables_count_nothing(run: Run) -> None:
    assert counted(run, Window(), {}) == {"facts": 0, "duplicates": 0, "conflicts": 0}


def test_the_query_over_all_families_is_googlesql(googlesql: GoogleSql, dataset: Dataset) -> None:
    families = tuple(FAMILIES.values())
    sql = reconcile.statement(dataset, families).rstrip(";\n")
    tables = {dataset.table("dead_letters"): [letter("m", "not_json")]}
    rows = googlesql.run(sql, tables, reconcile.parameters(Window(), families))
    assert [(row["event_family"], row["quantity"]) for row in rows] == [(None, "not_json")]


def test_messages_that_share_an_id_are_named_and_no_count_is_negative(run: Run) -> None:
    ids = ["a", "b", "c", "d", "e", "f"]
    tables = {
        "events_fact": [fact(f"{day}-{name}", name) for day in ("mon", "tue") for name in ids],
        "dead_letters": [
            letter("g", "not_json", event_id="mon-g", source="mon"),
            letter("g", "not_json", event_id="tue-g", source="tue"),
            letter("h", "not_json", source="mon"),
            letter("h", "not_json", source="tue"),
            letter("i", "not_json", source="mon"),
            letter("i", "not_json", source="mon", event_id="e9"),  # one message, written twice
        ],
    }
    rows = found(run, Window(), tables)
    assert {row["quantity"]: (int(row["found"]), row["examples"]) for row in rows} == {
        "facts": (12, None),
        "duplicates": (0, None),
        "not_json": (3, None),
        "several_events": (7, "a, b, c, d, e"),
        "several_sources": (2, "g, h"),
    }


def test_replays_are_seen_in_the_letters(run: Run) -> None:
    tables = {
        "events_fact": [fact("e1", "m1-again"), fact("e2", "m2"), fact("e3", "m3")],
        "dead_letters": [
            letter("m1", "not_json", event_id="e1"),  # its replay is a fact
            letter("m2", "not_json", event_id="e2"),  # is a fact itself, and no replay
            letter("m4-again", "not_json", event_id="e4", replay_count=1),
            letter("m4-again", "not_json", event_id="e4", replay_count=1),  # written twice
            letter("m5", "not_json", event_id="e5", replay_count=0),
        ],
    }
    assert counted(run, Window(), tables)["replays"] == 2


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (dt.datetime.min, dt.datetime.max),
        (dt.datetime.max - dt.timedelta(days=1), None),
        (None, dt.datetime.min + dt.timedelta(days=1)),
    ],
)
def test_the_ends_of_the_calendar_are_windows_too(
    run: Run, start: dt.datetime | None, end: dt.datetime | None
) -> None:
    window = Window(*(time and time.replace(tzinfo=dt.UTC) for time in (start, end)))
    tables = {"events_fact": [fact("e1", "m1")], "dead_letters": [letter("m2", "not_json")]}
    everything = start is not None and end is not None
    expected = {"facts": int(everything), "duplicates": 0, "conflicts": 0}
    assert counted(run, window, tables) == expected | ({"not_json": 1} if everything else {})
