"""The Storage Write API while a table changes. BigQuery's part is a fake (fake_storage.py)."""

from google.cloud.bigquery import SchemaField

from pipeline.sinks import table_schema
from tests.pipeline.fake_storage import EXTRA, KIND, Fault, N, numbers, rows
from transforms.row_checker import RejectedRow


def test_a_row_that_does_not_fit_the_table_is_not_sent(storage_table, no_wait):
    table, writer = storage_table()
    writer.append([(0, None, None), ("1", None, None), (2, b"\xff", None), (None, None, None)])
    assert writer.flush() == [
        RejectedRow.of(1, "invalid: n is not of type INTEGER", "n"),
        RejectedRow.of(2, "invalid: kind is not of type STRING", "kind"),
        RejectedRow.of(3, "invalid: n is required", "n"),
    ]
    assert numbers(table) == [0]


def test_a_column_that_the_table_gains_is_written_from_then_on(storage_table, no_wait):
    table, writer = storage_table(N, KIND)
    writer.append(rows(None, None))
    assert writer.flush() == []
    table.fields.append(EXTRA)
    table.faults.append(Fault.UPDATED_SCHEMA)
    writer.append(rows(None, first=2))
    assert writer.flush() == []
    writer.append([(3, None, "text")])
    assert writer.flush() == []
    assert table.written[-1] == {"n": 3, "kind": None, "extra": "text"}
    assert table.written[0] == {"n": 0, "kind": None}
    assert table.calls == 2


def test_a_table_that_asks_for_less_than_it_did_gets_what_it_refused(storage_table):
    table, writer = storage_table()
    table.fields[0] = SchemaField("n", "INT64")
    table.faults.append(Fault.UPDATED_SCHEMA)
    writer.append([(0, None, None), (None, None, None)])
    assert [row.rejection.field for row in writer.flush()] == ["n"]
    writer.append([(None, None, None)])
    assert writer.flush() == []


def test_rows_with_a_column_that_the_table_lacks_wait_for_it(storage_table, monkeypatch):
    table, writer = storage_table(N, KIND)
    waits = []

    def somebody_adds_it(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            table.fields.append(EXTRA)

    monkeypatch.setattr("time.sleep", somebody_adds_it)
    writer.append(rows(None))
    assert writer.flush() == []
    assert waits == []
    writer.append([(1, None, "text")])
    assert writer.flush() == []
    assert table.written == [{"n": 0, "kind": None}, {"n": 1, "kind": None, "extra": "text"}]
    assert len(waits) == 3


def test_a_column_that_the_table_loses_under_way_is_waited_for(storage_table, monkeypatch):
    table, writer = storage_table()
    table.fields.remove(EXTRA)
    monkeypatch.setattr(
        "time.sleep", lambda seconds: EXTRA in table.fields or table.fields.append(EXTRA)
    )
    writer.append([(0, None, "text")])
    writer.append([(1, None, None)])
    assert writer.flush() == []
    assert {row["n"]: row.get("extra") for row in table.written} == {0: "text", 1: None}


def test_a_column_that_the_table_loses_is_not_missed_where_it_is_null(storage_table):
    table, writer = storage_table()
    table.fields.remove(EXTRA)
    writer.append(rows(None))
    assert writer.flush() == []
    assert table.written == [{"n": 0, "kind": None}]


def test_rows_that_an_older_table_would_reject_are_checked_against_the_present_one(
    storage_table, monkeypatch
):
    table, writer = storage_table()
    monkeypatch.setattr(table_schema, "READ_AGAIN_SECONDS", 0)
    table.fields[:2] = [SchemaField("n", "INT64"), SchemaField("kind", "INT64")]
    writer.append([(0, None, None), (None, 1, None), (2, "text", None)])
    assert [(row.position, row.rejection.field) for row in writer.flush()] == [(2, "kind")]
    assert [(row["n"], row["kind"]) for row in table.written] == [(0, None), (None, 1)]


def test_rows_under_way_follow_a_column_to_its_new_type(storage_table, impatient, monkeypatch):
    table, writer = storage_table()
    monkeypatch.setattr(table_schema, "READ_AGAIN_SECONDS", 0)
    table.faults.append(Fault.HUNG)
    writer.append(rows(None))
    table.fields[0] = SchemaField("n", "STRING")
    writer.append([("one", None, None)])
    assert writer.flush() == []
    assert set(numbers(table)) == {"0", "one"}
