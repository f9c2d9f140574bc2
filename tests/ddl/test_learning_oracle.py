"""The views of learner events over random tables, by both engines and by plain Python."""

import datetime as dt
import itertools
import random
from decimal import Decimal
from typing import Any

import pytest

from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.families import FAMILIES
from tests.conftest import Warehouse
from tests.ddl import golden, learning, learning_tables
from tests.ddl.googlesql import GoogleSql
from tests.ddl.learning import Row, Tables

LEARNING = (FAMILIES["learner_event"],)
DAY = dt.date(2026, 3, 2)
ALL_DATES = (EARLIEST_DATE, LATEST_DATE)
ARRIVAL = {"publish_ts", "processed_at", "message_id", "created_at", "updated_at", "source_path"}
SECOND = dt.timedelta(seconds=1)


def queries(
    dataset: Dataset, tables: Tables, *dates: tuple[dt.date, dt.date]
) -> list[tuple[str, str, list[Row]]]:
    """What each view gives, those with a function for these dates: (name, SQL, rows)."""
    found = [
        (
            view,
            f"SELECT * FROM `{dataset.table(view)}_between`(DATE '{first}', DATE '{last}')",
            rows,
        )
        for first, last in dates
        for view, rows in learning.views(tables, first, last).items()
    ]
    for view, rows in (
        ("mastery_evidence", learning.evidence(tables)),
        ("mastery_deltas", learning.deltas(tables)),
    ):
        found.append((view, f"SELECT * FROM `{dataset.table(view)}`", rows))
    return found


def test_google_s_engine_gives_what_python_gives(googlesql: GoogleSql, dataset: Dataset) -> None:
    tables = learning_tables.tables(seed=1)
    expected = queries(dataset, tables, ALL_DATES)
    found = googlesql.run_all([sql for _, sql, _ in expected], stored(dataset, tables))
    for (view, _, wanted), rows in zip(expected, found, strict=True):
        golden.assert_equal(view, rows, wanted)


def test_bqemulator_gives_what_python_gives(applied_families: Warehouse) -> None:
    tables = learning_tables.tables(seed=2, events=200, answers=80)
    client, dataset = applied_families.client, applied_families.dataset
    for name, rows in tables.items():
        texts = [golden.as_text(row) for row in rows]
        assert not client.insert_rows_json(dataset.table(name), texts)
    for view, sql, rows in queries(dataset, tables, ALL_DATES, (DAY, DAY)):
        found = client.query(sql).result()
        golden.assert_equal(view, [dict(row) for row in found], rows)


def test_the_order_and_the_copies_of_arrival_do_not_matter(
    googlesql: GoogleSql, dataset: Dataset
) -> None:
    """Shuffled, each delivered up to three times, and split into parts that come days apart."""
    chance = random.Random(7)
    tables = learning_tables.tables(seed=3)
    kept = {row["event_id"]: row for row in tables["learner_events_fact"]}  # without conflicts
    tables["learner_events_fact"] = list(kept.values())
    arrived = dict(tables)
    arrived["learner_events_fact"] = [
        row | {"message_id": f"{chance.random()}", "publish_ts": late, "processed_at": late}
        for row in kept.values()
        for _ in range(chance.randint(1, 3))
        for late in [f"2026-03-0{chance.randint(4, 9)}T00:00:00Z"]
    ]
    for name in arrived:
        arrived[name] = chance.sample(arrived[name], len(arrived[name]))
    # The others are made of these.
    views = ("minute_metrics", "session_metrics", "mastery_deltas")
    asked = [sql for view, sql, _ in queries(dataset, tables, ALL_DATES) if view in views]
    before, after = (
        googlesql.run_all(asked, stored(dataset, given)) for given in (tables, arrived)
    )
    for view, first, then in zip(views, before, after, strict=True):
        golden.assert_equal(view, [*map(without_arrival, then)], [*map(without_arrival, first)])


def stored(dataset: Dataset, tables: Tables) -> dict[str, list[Row]]:
    return {dataset.table(name): rows for name, rows in tables.items()}


def without_arrival(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ARRIVAL}


@pytest.mark.parametrize("seed", range(3))
def test_minutes_add_up_to_the_active_time_and_mastery_to_its_deltas(seed: int) -> None:
    """Of the oracle, and so of the views: no row has over a minute, and no delta is lost."""
    tables = learning_tables.tables(seed)
    minutes = learning.views(tables, *ALL_DATES)["minute_metrics"]
    sessions: dict[Any, list[Row]] = {}
    for row in learning._kept(tables["learner_events_fact"]):
        sessions.setdefault((row["learner_id"], row["session_id"]), []).append(row)
    for key, events in sessions.items():
        times = sorted(row["timestamp"] for row in events)
        gaps = [min((b - a) / SECOND, 300) for a, b in itertools.pairwise(times)]
        own = [row for row in minutes if (row["learner_id"], row["session_id"]) == key]
        assert all(0 <= row["time_spent_seconds"] <= 60 for row in own)
        active = sum(row["time_spent_seconds"] for row in own)
        assert active == pytest.approx(Decimal(sum(gaps)))
        assert sum(row["total_events"] for row in own) == len(events)


def test_the_random_tables_leave_nothing_out() -> None:
    tables = learning_tables.tables(seed=1)
    rows = learning.views(tables, *ALL_DATES)
    pieces = learning.evidence(tables)
    found = {f"evidence of {row['content_type']} by {row['item_type']}" for row in pieces}
    found |= {"minute without event" for row in rows["minute_metrics"] if not row["total_events"]}
    found |= {"whole minute" for row in rows["minute_metrics"] if row["time_spent_seconds"] == 60}
    found |= {"ended" if row["is_ended"] else "open" for row in rows["session_metrics"]}
    days = {row["partition_date"] for row in rows["session_metrics"]}
    found |= {"several days"} if len(days) > 1 else set()
    found |= {"file" for row in rows["raw_events"] if row["source_path"]}
    deltas = learning.deltas(tables)
    found |= {"several pieces" for row in deltas if row["evidence_count"] > 2}
    found |= {"loss" for row in deltas if row["mastery_delta"] < 0}
    assert found == {
        "evidence of lesson by lesson",
        "evidence of assessment by assessment",
        "evidence of assessment by question",
        "evidence of skill by lesson",
        "evidence of skill by assessment",
        "evidence of skill by question",
        "minute without event",
        "whole minute",
        "ended",
        "open",
        "several days",
        "file",
        "several pieces",
        "loss",
    }
