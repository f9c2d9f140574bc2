"""The Storage Write API: how much is under way, and who holds the call. BigQuery's part is a fake
(fake_storage.py).
"""

import pickle
import threading

import pytest

from pipeline.sinks.storage_write import connection as storage_connection
from pipeline.sinks.storage_write import stream as storage_stream
from tests.pipeline.fake_storage import Fault, numbers, rows
from transforms.row_checker import RejectedRow


def test_requests_keep_below_the_limit_and_one_row_above_it_is_refused(storage_table, no_wait):
    table, writer = storage_table()
    writer.append([(n, "x" * 3_000_000, None) for n in range(8)] + [(8, "y" * 10_000_000, None)])
    (refused,) = writer.flush()
    assert refused == RejectedRow.of(8, "invalid: the row has more than 9900000 bytes")
    assert numbers(table) == list(range(8))
    assert table.requests > 2


def test_a_sender_waits_where_too_much_is_under_way(storage_table, impatient, monkeypatch):
    table, writer = storage_table()
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


def test_bytes_under_way_are_bounded_too(storage_table, impatient, monkeypatch):
    table, writer = storage_table()
    monkeypatch.setattr(storage_connection, "MAX_PENDING_BYTES", 1_000)
    table.faults += [Fault.HUNG]
    writer.append([(0, "x" * 2_000, None)])
    hung = writer._stream._connection
    writer.append(rows(None, first=1))
    assert hung.ended
    assert writer.flush() == []
    assert set(numbers(table)) == {0, 1}


def test_a_call_that_ends_while_idle_costs_nothing_and_leaves_no_thread(storage_table, no_wait):
    table, writer = storage_table()
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


def test_writers_of_a_process_share_one_call_and_the_last_one_closes_it(storage_table, no_wait):
    table, writer = storage_table()
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


def test_a_writer_travels_without_what_it_was_doing(storage_table):
    _, writer = storage_table()
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
