"""Runs on bqemulator: the stored tables equal plain Python, whatever the windows."""

import datetime as dt
import random

import pytest
from google.cloud import bigquery

from tests.conftest import Warehouse
from tests.ddl import golden, random_tables
from tests.warehouse import running
from tests.warehouse.running import HASHED, WRITTEN
from warehouse.errors import RunError
from warehouse.runs import Runner, changed_dates
from warehouse.script import DateWindow

SEEDS = range(500, 508)


@pytest.fixture
def tables():
    """Several random datasets in one, no session longer than the margin."""
    found = random_tables.together(SEEDS)
    return running.days_around(found, random_tables.DAY.date())


def test_shuffled_windows_give_what_plain_python_gives(applied: Warehouse, tables) -> None:
    run_in_windows(applied, tables, 3)


@pytest.mark.soak
def test_fifty_shuffled_windows_give_what_plain_python_gives(applied: Warehouse, tables) -> None:
    run_in_windows(applied, tables, 50)


def run_in_windows(warehouse: Warehouse, tables, number: int) -> None:
    """Rows of all tables arrive in any order, with a run after each part."""
    running.arrive(warehouse, {"lateness_settings": tables["lateness_settings"]})
    rows = [(name, row) for name in tables if name != "lateness_settings" for row in tables[name]]
    random.Random(7).shuffle(rows)
    for start in range(number):
        part = rows[start::number]
        running.arrive(warehouse, {n: [r for own, r in part if own == n] for n in tables})
        running.run(warehouse)
    want = running.expected(tables)
    assert sum(map(len, want.values())) > 400
    assert running.stored(warehouse, *HASHED, *WRITTEN) == want


def test_what_changes_later_is_taken_and_a_second_run_writes_nothing(applied: Warehouse) -> None:
    case = golden.load("stored_facts")
    dimensions = case.tables["dimension_changes_fact"]
    later = [row for row in dimensions if row["version_ts"] >= "2026-03-01"]
    early = [row for row in dimensions if row["version_ts"] < "2026-03-01"]
    running.arrive(applied, {"events_fact": case.tables["events_fact"]})
    running.run(applied)
    running.arrive(applied, {"dimension_changes_fact": early})
    running.run(applied)
    running.arrive(applied, {"dimension_changes_fact": later})
    running.run(applied)
    assert running.stored(applied, *WRITTEN) == running.live(applied)

    before = running.stored(applied)
    again = running.run(applied, overlap_hours=3)
    assert (again.rows_read, again.rows_written) == (15, 0)
    assert running.stored(applied) == before

    running.arrive(applied, {"lateness_settings": [{"test_id": "t1", "grace_seconds": 3600}]})
    assert set(running.run(applied).written) >= {"sessions_fact"}
    assert running.stored(applied, *WRITTEN) == running.live(applied)


def test_a_backfill_mends_what_is_wrong_or_gone(applied: Warehouse) -> None:
    case = golden.load("stored_facts")
    running.arrive(applied, case.tables)
    running.run(applied)
    right = running.stored(applied, *WRITTEN)
    for sql in (
        "DELETE FROM `{}.sessions_fact` WHERE session_id = 'x1'",
        "UPDATE `{}.question_interaction_fact` SET answer_count = 99 WHERE student_id = 's2'",
        "DELETE FROM `{}.test_funnel_fact` WHERE TRUE",
        "INSERT INTO `{}.session_questions_fact` (session_id, question_id, session_date, test_id, "
        "student_id, first_seen, last_seen, created_at, updated_at) SELECT 'x1', 'gone', "
        "DATE '2026-03-02', 't1', 's1', now, now, now, now FROM "
        "(SELECT CURRENT_TIMESTAMP() AS now)",
    ):
        applied.client.query(sql.format(applied.dataset)).result()
    runner = Runner(applied.client, applied.dataset)
    runner.run(DateWindow(dt.date(2026, 3, 1), dt.date(2026, 3, 5)))
    assert running.stored(applied, *WRITTEN) == right


def test_rows_whose_events_have_expired_stay(applied: Warehouse) -> None:
    case = golden.load("stored_facts")
    running.arrive(applied, case.tables)
    running.run(applied)
    before = running.stored(applied)
    facts = applied.client.get_table(applied.dataset.table("events_fact"))
    kept = (dt.datetime.now(dt.UTC).date() - dt.date(2026, 3, 5)).days
    facts.time_partitioning = bigquery.TimePartitioning(
        field="event_date", expiration_ms=kept * 24 * 60 * 60 * 1000
    )
    applied.client.update_table(facts, ["time_partitioning"])
    expired = f"DELETE FROM `{applied.dataset}.events_fact` WHERE event_date < '2026-03-05'"
    applied.client.query(expired).result()
    # A student changes school, and so all sessions of that student are touched.
    change = {**case.tables["dimension_changes_fact"][0], "event_id": "later"}
    running.arrive(applied, {"dimension_changes_fact": [change | {"row": {"school_id": "West"}}]})
    assert running.run(applied).rows_written == 0
    assert running.stored(applied) == before
    runner = Runner(applied.client, applied.dataset)
    with pytest.raises(RunError, match="have expired"):
        runner.run(DateWindow(dt.date(2026, 3, 2), dt.date(2026, 3, 2)))


def test_partitions_that_changed_are_asked_of_bigquery(applied: Warehouse) -> None:
    """The form of the answer only: an emulator gives the time of creation."""
    running.arrive(applied, {"events_fact": golden.load("stored_facts").tables["events_fact"]})
    always = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    found = changed_dates(applied.client, applied.dataset, always)
    assert {day.isoformat() for day in found} <= {f"2026-03-0{day}" for day in range(2, 6)}
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    assert changed_dates(applied.client, applied.dataset, later) == frozenset()
