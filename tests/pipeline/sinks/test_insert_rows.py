"""Streaming inserts. BigQuery must misbehave here, which no emulator does on request, so its client
is a fake, and the tests' names say so; what the emulator takes is seen wherever a pipeline runs.
"""

import datetime as dt
import pickle
import time

import pytest
from google.api_core import exceptions
from google.cloud.bigquery import SchemaField, Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcp.dataset import Dataset
from pipeline.sinks import insert_rows, table_schema
from pipeline.sinks.insert_rows import InsertRowsWriter, json_row
from transforms.row_checker import RejectedRow

DATASET = Dataset.parse("local-exams.exams")


class FakeBigQuery:
    """Answers insert_rows_json from a script: an error to raise, or BigQuery's list of errors."""

    def __init__(self, refuses=lambda row: False, script=()):
        self.refuses = refuses
        self.script = list(script)
        self.stored = []
        self.ids = []
        self.fields = [SchemaField("n", "INT64")]
        self.reads = 0

    def get_table(self, table_id, **_):
        self.reads += 1
        return Table(table_id, self.fields)

    def insert_rows_json(self, table, rows, row_ids, **options):
        assert options["skip_invalid_rows"]
        self.ids.append(row_ids)
        reply = self.script.pop(0) if self.script else []
        if isinstance(reply, Exception):
            raise reply
        if any(self.refuses(row) for row in rows):
            raise exceptions.BadRequest("not a row", errors=[{"reason": "invalid"}])
        reported = {error["index"] for error in reply}
        self.stored += [row.get("n") for number, row in enumerate(rows) if number not in reported]
        return reply

    def close(self):
        self.closed = True


def error(index, reason, location=""):
    return {"index": index, "errors": [{"reason": reason, "message": "m", "location": location}]}


@pytest.fixture
def new(monkeypatch):
    """Makes a writer of rows (n,) over a fake BigQuery."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def new(fake):
        for module in (insert_rows, table_schema):
            monkeypatch.setattr(module, "bigquery_client", lambda project: fake)
        writer = InsertRowsWriter(DATASET, "events_fact", ("n",))
        writer.open()
        return writer

    return new


@pytest.fixture
def write(new):
    """Writes rows (n,); gives what is refused."""

    def write(fake, *appends):
        writer = new(fake)
        for numbers in appends:
            writer.append([(number,) for number in numbers])
        return writer.flush()

    return write


def test_with_a_fake_bigquery_an_outage_refuses_no_row(write):
    outage = [
        exceptions.ServiceUnavailable("away"),
        exceptions.Forbidden("no access"),
        exceptions.NotFound("no table"),
        # Google's client makes this of {"error": "bad gateway"}, and of an empty 200.
        AttributeError("'str' object has no attribute 'get'"),
    ]
    fake = FakeBigQuery(script=outage)
    assert write(fake, [1, 2]) == []
    assert fake.stored == [1, 2]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_with_a_fake_bigquery_a_refused_request_costs_only_the_rows_at_fault(write, good, cut):
    fake = FakeBigQuery(refuses=lambda row: not good[row["n"]])
    numbers = list(range(len(good)))
    refused = write(fake, numbers[:cut], numbers[cut:])
    assert fake.stored == [n for n in numbers if good[n]]
    assert sorted(row.position for row in refused) == [n for n in numbers if not good[n]]


def test_with_a_fake_bigquery_only_a_row_at_fault_comes_back(write):
    fake = FakeBigQuery(script=[[error(0, "backendError"), error(2, "invalid", "n")], []])
    assert write(fake, [10, 11, 12, 13]) == [RejectedRow.of(2, "invalid: m", "n")]
    assert fake.stored == [11, 13, 10]
    assert fake.ids[1] == fake.ids[0][:1], "a row keeps its insertId"


def test_with_a_fake_bigquery_a_row_is_settled_by_one_answer(write):
    """The first answer refuses row 0, takes row 1 and puts off the rest; the second refuses all."""
    first = [error(0, "invalid", "n"), error(2, "backendError"), error(3, "backendError")]
    no = exceptions.BadRequest("no", errors=[{"reason": "invalid"}])
    fake = FakeBigQuery(script=[first, no, no, [], no])
    assert write(fake, [10, 11, 12, 13]) == [
        RejectedRow.of(0, "invalid: m", "n"),
        RejectedRow.of(3, "invalid: no"),
    ]
    assert fake.stored == [11, 12]
    all_ids = fake.ids[0]
    assert fake.ids == [all_ids, all_ids[2:], all_ids[2:], all_ids[2:3], all_ids[3:]]


def test_with_a_fake_bigquery_a_column_that_the_table_lost_is_waited_for(write):
    lost = error(0, "invalid", "n")
    lost["errors"][0]["message"] = "no such field: n."
    fake = FakeBigQuery(script=[[lost], [lost], []])
    assert write(fake, [10, 11]) == []
    assert fake.stored == [11, 10]


def test_with_a_fake_bigquery_each_flush_tells_of_the_rows_since_the_last(new):
    fake = FakeBigQuery(script=[[error(1, "invalid")], [error(0, "invalid")]])
    writer = new(fake)
    writer.append([(1,), (2,)])
    assert [row.position for row in writer.flush()] == [1]
    writer.append([(3,)])
    assert [row.position for row in writer.flush()] == [0]
    writer.close()
    assert fake.closed


def test_with_a_fake_bigquery_a_row_that_does_not_fit_the_table_is_not_sent(write):
    fake = FakeBigQuery()
    assert write(fake, [1, "2"], ["3"]) == [
        RejectedRow.of(1, "invalid: n is not of type INTEGER", "n"),
        RejectedRow.of(2, "invalid: n is not of type INTEGER", "n"),
    ]
    assert fake.stored == [1]
    assert len(fake.ids) == 1


def test_with_a_fake_bigquery_rows_are_rejected_by_the_present_table_only(new, monkeypatch):
    monkeypatch.setattr(table_schema, "READ_AGAIN_SECONDS", 0)
    fake = FakeBigQuery()
    writer = new(fake)
    fake.fields = [SchemaField("n", "STRING")]
    writer.append([(1,), ("2",)])
    assert writer.flush() == [RejectedRow.of(0, "invalid: n is not of type STRING", "n")]
    assert fake.stored == ["2"]


def test_with_a_fake_bigquery_bad_rows_do_not_have_the_table_read_every_time(new, monkeypatch):
    fake = FakeBigQuery()
    writer = new(fake)
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now)
    for _ in range(3):
        writer.append([("1",), ("2",)])
    assert fake.reads == 1
    now += table_schema.READ_AGAIN_SECONDS
    for _ in range(3):
        writer.append([("1",), ("2",)])
        writer.append([(1,)])
    assert fake.reads == 2
    now += table_schema.READ_AGAIN_SECONDS
    writer.append([(1,)])
    assert fake.reads == 2, "good rows need no second look"
    assert len(writer.flush()) == 12


def test_the_writer_travels_without_its_connection(new):
    fake = FakeBigQuery()
    fake.unpicklable = lambda: None
    writer = new(fake)
    writer.append([(1,)])
    assert pickle.loads(pickle.dumps(writer)) is not None  # noqa: S301


def test_values_are_told_as_bigquerys_json_takes_them():
    moment = dt.datetime(2026, 3, 2, 1, 0, 0, 7, dt.timezone(dt.timedelta(hours=5, minutes=30)))
    values = {"t": moment, "d": moment.date(), "b": b"\x00\xff", "n": None, "x": 1.5, "f": True}
    assert json_row(tuple(values), tuple(values.values())) == {
        "t": "2026-03-01T19:30:00.000007+00:00",
        "d": "2026-03-02",
        "b": "AP8=",
        "n": None,
        "x": 1.5,
        "f": True,
    }


def test_with_a_fake_bigquery_a_column_that_the_table_lacks_is_not_sent_where_it_is_null(
    monkeypatch,
):
    sent = []
    fake = FakeBigQuery(refuses=lambda row: sent.append(row))
    for module in (insert_rows, table_schema):
        monkeypatch.setattr(module, "bigquery_client", lambda project: fake)
    writer = InsertRowsWriter(DATASET, "events_fact", ("n", "later"))
    writer.open()
    writer.append([(1, None)])
    assert writer.flush() == []
    assert sent == [{"n": 1}]


def test_with_a_fake_bigquery_neither_is_a_field_that_a_record_lacks(monkeypatch):
    sent = []
    fake = FakeBigQuery(refuses=lambda row: sent.append(row))
    size = SchemaField("size", "RECORD", fields=[SchemaField("unit", "STRING")])
    fake.fields = [SchemaField("lines", "RECORD", "REPEATED", fields=[size])]
    for module in (insert_rows, table_schema):
        monkeypatch.setattr(module, "bigquery_client", lambda project: fake)
    writer = InsertRowsWriter(DATASET, "orders_fact", ("lines",))
    writer.open()
    writer.append([([{"size": {"unit": "kg", "later": None}, "tags": []}, {"size": None}],)])
    assert writer.flush() == []
    assert sent == [{"lines": [{"size": {"unit": "kg"}}, {"size": None}]}]


def test_with_a_fake_bigquery_a_row_bears_the_time_of_the_request_that_took_it(new):
    sent = []

    class Slow(FakeBigQuery):
        def insert_rows_json(self, table, rows, row_ids, **options):
            sent.append([row["at"] for row in rows])
            return super().insert_rows_json(table, rows, row_ids, **options)

    fake = Slow(script=[exceptions.ServiceUnavailable("away")])
    fake.fields = [SchemaField("n", "INT64"), SchemaField("at", "TIMESTAMP")]
    new(fake)
    writer = InsertRowsWriter(DATASET, "events_fact", ("n", "at"), "at")
    writer.open()
    made = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    writer.append([(1, made)])
    first, again = (dt.datetime.fromisoformat(stamp) for (stamp,) in sent)
    assert made < first < again
