"""The rule of lateness in Python and its twin in SQL: the same sessions through both."""

import datetime as dt
from typing import Any

import pytest

from gcp.dataset import Dataset
from schemas.lateness import DeadlineSource, LateStatus
from tests.conftest import Warehouse
from tests.ddl import oracle, sittings
from tests.ddl.googlesql import GoogleSql
from transforms.lateness.rule import UNKNOWN

SESSIONS = 150
Row = dict[str, Any]


@pytest.fixture(params=sorted(sittings.SETTINGS))
def settings_name(request: pytest.FixtureRequest) -> str:
    return request.param


def stored(settings_name: str) -> list[Row]:
    """The table events_fact; what the pipeline judged is of no account."""
    settings = sittings.settings(settings_name)
    sent = sittings.messages(settings_name, SESSIONS, settings)
    return [sittings.row(message, UNKNOWN) for message in sent]


def expected(settings_name: str) -> dict[str, Row]:
    """The view events, by event_id."""
    settings = sittings.settings(settings_name)
    kept = sittings.kept(sittings.messages(settings_name, SESSIONS, settings))
    starts, expiries = sittings.start_records(kept), sittings.expiries(SESSIONS)
    rows = [
        typed(sittings.row(message, sittings.judged(message.event, starts, settings, expiries)))
        for message in kept
    ]
    return {row["event_id"]: row for row in oracle.named(rows)}


def typed(row: Row) -> Row:
    """Timestamps and dates as such, however an engine returns them."""
    return {
        name: dt.datetime.fromisoformat(value)
        if name.endswith("_ts") and isinstance(value, str)
        else str(value)
        if name == "event_date"
        else value
        for name, value in row.items()
    }


def test_google_s_engine_judges_as_python_does(
    settings_name: str, googlesql: GoogleSql, dataset: Dataset
) -> None:
    tables = {
        dataset.table("events_fact"): stored(settings_name),
        dataset.table("session_changes_fact"): sittings.session_changes(SESSIONS),
        dataset.table("lateness_settings"): sittings.SETTINGS[settings_name],
    }
    rows = googlesql.run(f"SELECT * FROM `{dataset.table('events')}`", tables)
    assert by_event(rows) == expected(settings_name)


def test_bqemulator_judges_as_python_does(settings_name: str, applied: Warehouse) -> None:
    for name, rows_in in (
        ("events_fact", stored(settings_name)),
        ("session_changes_fact", sittings.session_changes(SESSIONS)),
        ("lateness_settings", sittings.SETTINGS[settings_name]),
    ):
        if rows_in:
            assert not applied.client.insert_rows_json(applied.dataset.table(name), rows_in)
    rows = applied.client.query(f"SELECT * FROM `{applied.dataset}.events`").result()
    assert by_event([dict(row) for row in rows]) == expected(settings_name)


def by_event(rows: list[Row]) -> dict[str, Row]:
    assert len({row["event_id"] for row in rows}) == len(rows)
    return {row["event_id"]: typed(row) for row in rows}


def test_the_sessions_leave_no_part_of_the_rule_out() -> None:
    rows = [row for name in sittings.SETTINGS for row in expected(name).values()]
    found = {(row["late_status"], row["deadline_source"]) for row in rows}
    judged = {
        (status.value, str(source))
        for status in (LateStatus.ON_TIME, LateStatus.LATE)
        for source in [*DeadlineSource, sittings.DATABASE]
    }
    assert found == judged | {("UNKNOWN", None), ("NOT_APPLICABLE", None)}
    waits = {
        row["client_ts"] - row["deadline_ts"] - sittings.settings(name).grace(row["test_id"])
        for name in sittings.SETTINGS
        for row in expected(name).values()
        if row["deadline_ts"]
    }
    assert {-sittings.MICROSECOND, dt.timedelta(), sittings.MICROSECOND} <= waits
