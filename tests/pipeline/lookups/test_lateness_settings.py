"""The view lateness_rules as the stream reads it."""

import json
import pickle
import threading

import pytest
from google.api_core.exceptions import BadRequest, NotFound, ServiceUnavailable
from google.cloud import bigquery

from gcp.dataset import Dataset
from pipeline.lookups import lateness_settings
from pipeline.lookups.lateness_settings import Reading, SettingsTable, read_table, settings_of
from schemas.lateness import LatenessSettings, SettingsRow

ROWS = [
    {"test_id": None, "duration_seconds": 3600, "grace_seconds": 30},
    {"test_id": "algebra", "duration_seconds": 5400, "grace_seconds": None},
    {"test_id": "physics", "duration_seconds": None, "grace_seconds": 0},
]
SETTINGS = LatenessSettings(
    SettingsRow(3600, 30), {"algebra": SettingsRow(5400), "physics": SettingsRow(None, 0)}
)


def test_rows_become_settings():
    assert settings_of(ROWS) == SETTINGS
    assert settings_of([]) == LatenessSettings()
    assert SETTINGS.test_duration("algebra") == 5400
    assert SETTINGS.test_duration("physics") is None
    assert [SETTINGS.grace(t).total_seconds() for t in ("algebra", "physics", "x")] == [30, 0, 30]


@pytest.mark.parametrize("test_id", [None, "algebra"])
def test_two_rows_for_one_test_are_refused(test_id):
    with pytest.raises(ValueError, match="two rows"):
        settings_of([*ROWS, {"test_id": test_id, "duration_seconds": 1, "grace_seconds": 1}])


class Table:
    """Stands for the table, and for a clock."""

    def __init__(self):
        self.now = 0.0
        self.reads = 0
        self.answer = LatenessSettings(SettingsRow(1))

    def read(self):
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def clock(self):
        return self.now


@pytest.fixture
def table():
    return Table()


def test_settings_are_read_again_only_when_they_are_old(table):
    reading = Reading(table.read, 600, table.clock)
    table.answer = LatenessSettings(SettingsRow(2))
    table.now = 599.0
    assert reading.current().default.duration_seconds == 1
    table.now = 600.0
    assert reading.current().default.duration_seconds == 2
    assert reading.current().default.duration_seconds == 2
    assert table.reads == 2


@pytest.mark.parametrize(
    "failure",
    [
        ServiceUnavailable("away"),
        BadRequest("no", errors=[{"reason": "invalid"}]),
        ValueError("two rows"),
        KeyError("test_id"),  # the table was made anew, with other columns
        AttributeError("an answer that is not BigQuery's"),
    ],
    ids=repr,
)
def test_the_last_settings_stand_while_the_table_cannot_be_read(table, failure, caplog):
    reading = Reading(table.read, 600, table.clock)
    table.answer, table.now = failure, 700.0
    assert reading.current().default.duration_seconds == 1
    assert reading.current().default.duration_seconds == 1
    assert table.reads == 2
    assert "keeping the previous ones" in caplog.text
    table.answer, table.now = LatenessSettings(SettingsRow(3)), 1300.0
    assert reading.current().default.duration_seconds == 3


def test_settings_that_cannot_be_read_at_the_start_are_an_error(table):
    table.answer = ServiceUnavailable("away")
    with pytest.raises(ServiceUnavailable):
        Reading(table.read, 600, table.clock)


def test_while_one_thread_reads_the_others_do_not_wait(table):
    reading = Reading(table.read, 600, table.clock)
    began, go_on = threading.Event(), threading.Event()

    def slow():
        began.set()
        go_on.wait(10)
        return LatenessSettings(SettingsRow(2))

    reading._read, table.now = slow, 600.0
    reader = threading.Thread(target=reading.current)
    reader.start()
    began.wait(10)
    assert reading.current().default.duration_seconds == 1
    go_on.set()
    reader.join()
    assert reading.current().default.duration_seconds == 2


@pytest.fixture
def stored(warehouse):
    """ROWS under the name of the view."""
    warehouse.client.create_dataset(str(warehouse.dataset))
    fields = [
        bigquery.SchemaField("test_id", "STRING"),
        bigquery.SchemaField("duration_seconds", "INT64"),
        bigquery.SchemaField("grace_seconds", "INT64"),
    ]
    name = warehouse.dataset.table("lateness_rules")
    warehouse.client.create_table(bigquery.Table(name, fields))
    assert warehouse.client.insert_rows_json(name, ROWS) == []
    return warehouse.dataset


def test_the_rows_are_read_as_they_stand(stored):
    assert read_table(stored) == SETTINGS


def test_a_test_without_a_duration_in_the_settings_takes_that_of_the_dimension(applied):
    durations = {"algebra": 60, "physics": 1200, "drawing": "900", "endless": 604_801, "none": None}
    changes = [
        {
            "event_type": "dimension_change",
            "dimension": "test",
            "key": test_id,
            "op": "upsert",
            "version_ts": "2026-03-02T10:00:00Z",
            "row": json.dumps({"duration_seconds": seconds}),
            "event_id": test_id,
            "event_date": "2026-03-02",
            "publish_ts": "2026-03-02T10:00:00Z",
            "ingest_ts": "2026-03-02T10:00:00Z",
            "message_id": test_id,
            "pipeline_version": "test",
        }
        for test_id, seconds in durations.items()
    ]
    insert = applied.client.insert_rows_json
    assert not insert(applied.dataset.table("lateness_settings"), ROWS)
    assert not insert(applied.dataset.table("dimension_changes_fact"), changes)
    assert read_table(applied.dataset) == LatenessSettings(
        SettingsRow(3600, 30),
        {
            "algebra": SettingsRow(5400),
            "physics": SettingsRow(1200, 0),
            "drawing": SettingsRow(900),
        },
    )


def test_an_outage_while_a_worker_starts_is_waited_out(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers = iter([ServiceUnavailable("away"), NotFound("no table"), SETTINGS])

    def read(dataset):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(lateness_settings, "read_table", read)
    source = SettingsTable(Dataset.parse("local-exams.exams"), 600)
    source.open()
    assert source.current() == SETTINGS


def test_copies_in_one_process_share_one_reading(stored, monkeypatch):
    reads = []

    def counted(dataset):
        reads.append(dataset)
        return SETTINGS

    monkeypatch.setattr(lateness_settings, "read_table", counted)
    source = SettingsTable(stored, 600)
    copies = [pickle.loads(pickle.dumps(source)) for _ in range(3)]  # noqa: S301
    for copy in copies:
        copy.open()
    assert [copy.current() for copy in copies] == [SETTINGS] * 3
    assert len(reads) == 1
