"""One stream of the direct runner whose rows go by the Storage Write API, on the real emulators
behind doors. What the API answers without being away is in tests/pipeline/test_storage_*.py:
the emulator cannot be made to.
"""

import pytest

from ddl.apply import apply

pytestmark = pytest.mark.xdist_group("outages_of_storage")

OPTIONS = ()
WAITS = "BigQuery is not available"


def test_a_storage_write_api_out_of_reach_is_waited_out(stream, bigquery):
    mark = stream.mark()
    bigquery.grpc.shut()
    stream.publish(25)
    stream.wait_for_line(WAITS, mark)
    bigquery.grpc.open()
    stream.check()


def test_a_connection_cut_while_rows_are_under_way_is_waited_out(stream, bigquery):
    mark = stream.mark()
    stream.publish(25)
    stream.check()
    bigquery.grpc.after(1, bigquery.grpc.shut)
    stream.publish(25)
    stream.wait_for_line(WAITS, mark)
    bigquery.grpc.open()
    stream.check()


def test_a_killed_bigquery_that_comes_back_is_waited_out(stream, bigquery):
    mark = stream.mark()
    bigquery.kill()
    stream.publish(25)
    stream.wait_for_line(WAITS, mark)
    bigquery.start()
    stream.check()


def test_tables_dropped_and_made_anew_are_waited_for(stream):
    mark, ledger = stream.mark(), stream.ledger
    for table in ("events_fact", "dead_letters"):
        ledger.client.delete_table(ledger.dataset.table(table))
    ledger.sent.clear()  # it went with the tables
    stream.publish(25)
    stream.wait_for_line(WAITS, mark)
    apply(ledger.client, ledger.dataset)
    stream.check()
