"""Every view over random tables, by both engines and by plain Python."""

import datetime as dt
import random
from typing import Any

from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from tests.conftest import Warehouse
from tests.ddl import golden, oracle, random_tables
from tests.ddl.googlesql import GoogleSql

Row = dict[str, Any]
Dates = tuple[dt.date, dt.date]
ALL_DATES = (EARLIEST_DATE, LATEST_DATE)


def some_dates(seed: int) -> Dates:
    """One to four days around those of the events."""
    chance = random.Random(seed)
    first = random_tables.DAY.date() + dt.timedelta(chance.randint(-2, 1))
    return first, first + dt.timedelta(chance.randint(0, 3))


def sql(dataset: Dataset, view: str, dates: Dates) -> str:
    if dates == ALL_DATES:
        return f"SELECT * FROM `{dataset.table(view)}`"
    first, last = dates
    return f"SELECT * FROM `{dataset.table(view)}_between`(DATE '{first}', DATE '{last}')"


def test_google_s_engine_gives_what_python_gives(googlesql: GoogleSql, dataset: Dataset) -> None:
    seeds = range(8)  # it is slow
    tables = random_tables.together(seeds)
    stored = {dataset.table(name): rows for name, rows in tables.items()}
    for dates in (ALL_DATES, some_dates(seeds[0])):
        expected = oracle.views(tables, *dates)
        found = googlesql.run_all([sql(dataset, view, dates) for view in expected], stored)
        for (view, wanted), rows in zip(expected.items(), found, strict=True):
            golden.assert_equal(view, rows, wanted)


def test_bqemulator_gives_what_python_gives(applied: Warehouse) -> None:
    seeds = range(36)
    tables = random_tables.together(seeds)
    client, dataset = applied.client, applied.dataset
    for name, rows in tables.items():
        texts = [golden.as_text(row) for row in rows]
        assert not client.insert_rows_json(dataset.table(name), texts)
    for dates in (ALL_DATES, some_dates(seeds[0])):
        for view, expected in oracle.views(tables, *dates).items():
            found = client.query(sql(dataset, view, dates)).result()
            golden.assert_equal(view, [dict(row) for row in found], expected)


def test_the_random_tables_leave_nothing_out() -> None:
    found = set()
    for seed in range(36):
        tables = random_tables.tables(seed)
        given = oracle.views(tables, *ALL_DATES)
        facts = {row["event_id"] for row in given["events"]}
        letters = tables["dead_letters"]
        found |= {f"deadline by {row['deadline_source']}" for row in given["events"]}
        found |= {row["late_status"] for row in given["events"]}
        if any(row["event_id"] in facts for row in letters):
            found.add("shared event_id")
        if len({row["event_id"] for row in letters}) < len(
            {(row["event_id"], row["session_id"]) for row in letters}
        ):
            found.add("store error in two sessions")
        starts = [r["session_id"] for r in given["events"] if r["event_type"] == "session_start"]
        if len(starts) > len(set(starts)):
            found.add("two starts")
        if given["event_conflicts"]:
            found.add("conflict")
        if oracle.views(tables, *some_dates(seed))["session_summary"] != given["session_summary"]:
            found.add("dates that leave sessions out")
    sources = ("database", "payload", "session", "test", "default", "mixed", "client", None)
    assert found == {f"deadline by {source}" for source in sources} | {
        "ON_TIME",
        "LATE",
        "UNKNOWN",
        "NOT_APPLICABLE",
        "shared event_id",
        "store error in two sessions",
        "two starts",
        "conflict",
        "dates that leave sessions out",
    }
