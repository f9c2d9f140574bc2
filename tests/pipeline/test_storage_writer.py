"""The Storage Write API, misbehaving. BigQuery does so on no request and its emulator never, so
the server is a fake (fake_storage.py); test_storage_emulator.py writes to the emulator.
"""

import collections
import pickle
import threading
import uuid

import pytest
from google.cloud.bigquery import SchemaField
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcp.dataset import Dataset
from pipeline.sinks import table_schema
from pipeline.sinks.row_writer import RefusedRow
from pipeline.sinks.storage_write import connection as storage_connection
from pipeline.sinks.storage_write import stream as storage_stream
from pipeline.sinks.storage_write.writer import StorageWriter
from tests.pipeline.fake_storage import FakeStorage, FakeTable, Fault

COLUMNS = ("n", "kind", "extra")
N = SchemaField("n", "INT64", mode="REQUIRED")
KIND = SchemaField("kind", "STRING")
EXTRA = SchemaField("extra", "STRING")
OUTAGES = [fault for fault in Fault if fault not in (Fault.NONE, Fault.UPDATED_SCHEMA)]


@pytest.fixture(scope="module")
def _server():
    server = FakeStorage()
    yield server
    server.stop()


@pytest.fixture
def server(_server, monkeypatch):
    monkeypatch.setenv("BIGQUERY_STORAGE_EMULATOR_HOST", _server.host)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(storage_stream, "_LINGER_SECONDS", 0)
    return _server


@pytest.fixture
def impatient(monkeypatch):
    """A server that hangs is given up soon; one that is merely slow may be, too."""
    monkeypatch.setattr(storage_connection, "RESPONSE_SECONDS", 0.1)


@pytest.fixture
def no_wait(server, monkeypatch):
    def fail(seconds):
        raise AssertionError("nothing is to be waited out here")

    monkeypatch.setattr("time.sleep", fail)


@pytest.fixture
def new(server, monkeypatch):
    """Makes a table of the fake and a writer for it."""
    writers = []

    def make(*fields):
        dataset = Dataset("local-exams", f"fake_{uuid.uuid4().hex}")
        table = FakeTable(list(fields) or [N, KIND, EXTRA])
        path = f"projects/{dataset.project}/datasets/{dataset.name}/tables/t/streams/_default"
        server.tables[path] = table
        monkeypatch.setattr(table_schema, "bigquery_client", lambda project: table)
        writer = StorageWriter(dataset, "t", COLUMNS)
        writer.open()
        writers.append(writer)
        return table, writer

    yield make
    for writer in writers:
        writer.close()


def rows(*kinds, first=0):
    return [(first + n, kind, None) for n, kind in enumerate(kinds)]


def numbers(table):
    return sorted(row["n"] for row in table.written)


@pytest.mark.parametrize("fault", OUTAGES)
def test_whatever_goes_wrong_every_row_is_written(new, impatient, fault):
    table, writer = new()
    table.faults += [Fault.NONE, fault]
    for first in range(3):
        writer.append(rows(None, first=first))
    assert writer.flush() == []
    assert set(numbers(table)) == {0, 1, 2}


def test_appends_under_way_when_a_call_breaks_are_sent_again(new):
    table, writer = new()
    table.faults += [Fault.NONE, Fault.BROKEN_AFTER_WRITE]
    for first in range(10):
        writer.append(rows(None, first=first))
    assert writer.flush() == []
    assert collections.Counter(numbers(table)) == {n: 1 + (n == 1) for n in range(10)}
    assert table.calls == 2


def test_the_rows_that_bigquery_names_are_refused_and_the_others_written(new, no_wait):
    table, writer = new()
    writer.append(rows(None, "bad", None, "bad"))
    writer.append(rows("bad", None, first=4))
    assert writer.flush() == [RefusedRow(n, "invalid: bad kind") for n in (1, 3, 4)]
    assert numbers(table) == [0, 2, 5]


@pytest.mark.parametrize("kind", ["poison", "deadly"])
def test_a_request_refused_as_a_whole_costs_only_the_row_at_fault(new, no_wait, kind):
    table, writer = new()
    writer.append(rows(*[None] * 5, kind, *[None] * 5))
    writer.append(rows(None, None, first=11))
    (refused,) = writer.flush()
    assert refused.index == 5
    assert refused.reason.startswith("invalid: a row is ")
    assert set(numbers(table)) == set(range(13)) - {5}


def test_a_row_that_does_not_fit_the_table_is_not_sent(new, no_wait):
    table, writer = new()
    writer.append([(0, None, None), ("1", None, None), (2, b"\xff", None), (None, None, None)])
    assert writer.flush() == [
        RefusedRow(1, "invalid: n is not of type INTEGER", "n"),
        RefusedRow(2, "invalid: kind is not of type STRING", "kind"),
        RefusedRow(3, "invalid: n is required", "n"),
    ]
    assert numbers(table) == [0]


def test_positions_are_counted_from_the_last_flush(new):
    _, writer = new()
    writer.append(rows(None, None))
    assert writer.flush() == []
    writer.append(rows(None))
    writer.append(rows("bad"))
    assert [row.index for row in writer.flush()] == [1]
    assert writer.flush() == []


def test_requests_keep_below_the_limit_and_one_row_above_it_is_refused(new, no_wait):
    table, writer = new()
    writer.append([(n, "x" * 3_000_000, None) for n in range(8)] + [(8, "y" * 10_000_000, None)])
    (refused,) = writer.flush()
    assert refused == RefusedRow(8, "invalid: the row has more than 9900000 bytes")
    assert numbers(table) == list(range(8))
    assert table.requests > 2


def test_a_sender_waits_where_too_much_is_under_way(new, impatient, monkeypatch):
    table, writer = new()
    monkeypatch.setattr(storage_connection, "MAX_PENDING", 2)
    table.faults += [Fault.HUNG]
    writer.append(rows(None))
    hung = writer._stream._connection
    writer.append(rows(None, first=1))
    assert not hung.ended
    writer.append(rows(None, first=2))
    assert hung.ended, "the third one waited for an answer to the first"
    assert writer.flush() == []
    assert set(numbers(table)) == {0, 1, 2}


def test_bytes_under_way_are_bounded_too(new, impatient, monkeypatch):
    table, writer = new()
    monkeypatch.setattr(storage_connection, "MAX_PENDING_BYTES", 1_000)
    table.faults += [Fault.HUNG]
    writer.append([(0, "x" * 2_000, None)])
    hung = writer._stream._connection
    writer.append(rows(None, first=1))
    assert hung.ended
    assert writer.flush() == []
    assert set(numbers(table)) == {0, 1}


def test_a_call_that_ends_while_idle_costs_nothing_and_leaves_no_thread(new, no_wait):
    table, writer = new()
    before = set(threading.enumerate())
    writer.append(rows(None))
    assert writer.flush() == []
    idle = writer._stream._connection
    idle._call.cancel()  # as BigQuery does after ten minutes
    idle._reader.join()
    writer.append(rows(None, first=1))
    assert writer.flush() == []
    assert numbers(table) == [0, 1]
    writer._stream._connection.close()
    # The server's workers are called so, and stay.
    ours = {t for t in threading.enumerate() if not t.name.startswith("ThreadPoolExecutor")}
    for thread in ours - before:
        thread.join(10)
        assert not thread.is_alive(), thread.name


def test_a_column_that_the_table_gains_is_written_from_then_on(new, no_wait):
    table, writer = new(N, KIND)
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


def test_a_table_that_asks_for_less_than_it_did_gets_what_it_refused(new):
    table, writer = new()
    table.fields[0] = SchemaField("n", "INT64")
    table.faults.append(Fault.UPDATED_SCHEMA)
    writer.append([(0, None, None), (None, None, None)])
    assert [row.field for row in writer.flush()] == ["n"]
    writer.append([(None, None, None)])
    assert writer.flush() == []


def test_rows_with_a_column_that_the_table_lacks_wait_for_it(new, monkeypatch):
    table, writer = new(N, KIND)
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


def test_a_column_that_the_table_loses_under_way_is_waited_for(new, monkeypatch):
    table, writer = new()
    table.fields.remove(EXTRA)
    monkeypatch.setattr(
        "time.sleep", lambda seconds: EXTRA in table.fields or table.fields.append(EXTRA)
    )
    writer.append([(0, None, "text")])
    writer.append([(1, None, None)])
    assert writer.flush() == []
    assert {row["n"]: row.get("extra") for row in table.written} == {0: "text", 1: None}


def test_a_column_that_the_table_loses_is_not_missed_where_it_is_null(new):
    table, writer = new()
    table.fields.remove(EXTRA)
    writer.append(rows(None))
    assert writer.flush() == []
    assert table.written == [{"n": 0, "kind": None}]


def test_writers_of_a_process_share_one_call_and_the_last_one_closes_it(new, no_wait):
    table, writer = new()
    others = [pickle.loads(pickle.dumps(writer)) for _ in range(4)]  # noqa: S301
    threads = []
    for number, other in enumerate(others):
        other.open()
        other.append(rows(None, None, first=2 * number))
        threads.append(threading.Thread(target=other.flush))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(table) == list(range(8))
    assert (table.calls, table.schemas, table.requests) == (1, 1, 4)
    for other in others:
        other.close()
    stream = storage_stream.shared_stream(*writer._target)
    stream._close()  # as a timer does that fires too late
    assert table.closed_calls == 0
    writer.close()
    stream._closing.join()
    assert table.closed_calls == 1
    writer.open()
    writer.append(rows(None, first=8))
    assert writer.flush() == []
    assert table.calls == 2


def test_a_writer_travels_without_what_it_was_doing(new):
    _, writer = new()
    writer.append(rows("bad"))
    travelled = pickle.loads(pickle.dumps(writer))  # noqa: S301
    travelled.open()
    assert travelled.flush() == []
    travelled.close()
    assert len(writer.flush()) == 1


def test_rows_meant_for_an_emulator_do_not_reach_bigquery(monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://localhost:1")
    monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST", raising=False)
    with pytest.raises(ValueError, match="BIGQUERY_STORAGE_EMULATOR_HOST"):
        storage_stream.storage_write_client()


kinds = st.lists(
    st.sampled_from([None, None, None, "bad", "poison", "deadly"]), min_size=1, max_size=8
)


@given(
    appends=st.lists(st.lists(kinds, max_size=6), min_size=1, max_size=3),
    faults=st.lists(st.sampled_from(list(Fault)), max_size=8),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_written_or_refused_and_none_is_both(new, impatient, appends, faults):
    table, writer = new()
    table.faults += faults
    number, written, refused = 0, set(), set()
    for bundle in appends:
        first = number
        for kinds_of_append in bundle:
            writer.append(rows(*kinds_of_append, first=number))
            for kind in kinds_of_append:
                (written if kind is None else refused).add(number)
                number += 1
        refusals = writer.flush()
        assert [row.index + first for row in refusals] == sorted(n for n in refused if n >= first)
    assert set(numbers(table)) == written
