"""The column for the time of sending: stamped with each append, and anew when it is sent again."""

import datetime as dt

from google.cloud.bigquery import SchemaField

from pipeline.sinks.storage_write.writer import StorageWriter
from tests.pipeline.sinks.fake_storage import Fault

MADE = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
COLUMNS = ("n", "kind", "at")
FIELDS = (
    SchemaField("n", "INT64", mode="REQUIRED"),
    SchemaField("kind", "STRING"),
    SchemaField("at", "TIMESTAMP", mode="REQUIRED"),
)


def _writer(made: StorageWriter, sent: str | None) -> StorageWriter:
    dataset, table, _ = made._target
    writer = StorageWriter(dataset, table, COLUMNS, sent)
    writer.open()
    return writer


def test_rows_bear_the_time_at_which_they_were_sent(storage_table):
    table, made = storage_table(*FIELDS)
    writer = _writer(made, "at")
    before = dt.datetime.now(dt.UTC)
    writer.append([(1, None, MADE), (2, None, MADE)])
    assert writer.flush() == []
    writer.close()
    assert all(before <= row["at"] <= dt.datetime.now(dt.UTC) for row in table.written)


def test_rows_that_are_sent_again_are_stamped_again(storage_table):
    table, made = storage_table(*FIELDS)
    writer = _writer(made, "at")
    table.faults += [Fault.BROKEN_AFTER_WRITE]
    writer.append([(1, None, MADE)])
    assert writer.flush() == []
    writer.close()
    first, second = (row["at"] for row in table.written)
    assert MADE < first < second


def test_without_such_a_column_rows_are_sent_as_they_were_made(storage_table):
    table, made = storage_table(*FIELDS)
    writer = _writer(made, None)
    writer.append([(1, None, MADE)])
    assert writer.flush() == []
    writer.close()
    assert [row["at"] for row in table.written] == [MADE]
