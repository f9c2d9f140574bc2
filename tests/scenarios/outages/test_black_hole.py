"""A connection that stays open and brings nothing any more, as behind a router that forgot it."""

import pytest
from google.cloud import bigquery as bq

from pipeline.sinks.storage_write import connection as storage_connection
from pipeline.sinks.storage_write.writer import StorageWriter

pytestmark = pytest.mark.xdist_group("outages_of_storage")


@pytest.fixture
def table(new_ledger):
    ledger = new_ledger()
    name = ledger.dataset.table("numbers")
    ledger.client.create_table(bq.Table(name, [bq.SchemaField("n", "INT64")]))
    return ledger


def test_a_connection_that_fell_silent_is_replaced(table, bigquery, monkeypatch):
    monkeypatch.setattr(storage_connection, "RESPONSE_SECONDS", 2.0)
    writer = StorageWriter(table.dataset, "numbers", ("n",))
    writer.open()
    writer.append([(1,)])
    assert writer.flush() == []
    bigquery.grpc.forget()
    writer.append([(2,)])
    assert writer.flush() == []
    writer.close()
    sql = f"SELECT COUNT(DISTINCT n) AS n FROM `{table.dataset}.numbers`"
    assert [row["n"] for row in table.client.query(sql).result()] == [2]
