"""The Storage Write API of the emulator: what arrives is what was sent."""

import datetime as dt

import pytest
from google.cloud import bigquery

from pipeline.sinks.storage_write.writer import StorageWriter

TYPES = {
    "text": "STRING",
    "raw": "BYTES",
    "flag": "BOOL",
    "count": "INT64",
    "share": "FLOAT64",
    "day": "DATE",
    "time": "TIMESTAMP",
    "doc": "JSON",
}
ROWS = [
    (
        "é\x00😀",
        bytes(range(256)),
        True,
        -(2**63),
        0.1,
        dt.date(1, 1, 1),
        dt.datetime(2026, 3, 2, 9, 0, 0, 123_457, tzinfo=dt.timezone(dt.timedelta(hours=5))),
        '{"a":[1,null,"x"],"b":{"c":1.5}}',
    ),
    (
        "",
        b"",
        False,
        2**63 - 1,
        -0.0,
        dt.date(9999, 12, 31),
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        '"text"',
    ),
    (None,) * 8,
]
DOCUMENTS = [{"a": [1, None, "x"], "b": {"c": 1.5}}, "text", None]


@pytest.fixture
def table(warehouse):
    warehouse.client.create_dataset(str(warehouse.dataset))
    fields = [bigquery.SchemaField(name, kind) for name, kind in TYPES.items()]
    name = warehouse.dataset.table("every_type")
    warehouse.client.create_table(bigquery.Table(name, fields))
    return name


@pytest.fixture
def writer(warehouse, table):
    writer = StorageWriter(warehouse.dataset, "every_type", tuple(TYPES))
    writer.open()
    yield writer
    writer.close()


def test_every_type_makes_the_round_trip(warehouse, table, writer):
    writer.append(ROWS)
    assert writer.flush() == []
    query = f"SELECT * FROM `{table}` ORDER BY count NULLS FIRST"
    got = [tuple(row.values()) for row in warehouse.client.query(query).result()]
    want = [(*row[:7], document) for row, document in zip(ROWS, DOCUMENTS, strict=True)]
    assert got == [want[2], want[0], want[1]]


def test_a_batch_larger_than_a_request_arrives_whole(warehouse, table, writer):
    text = "x" * 1_000_000
    writer.append([(text, None, None, n, None, None, None, None) for n in range(25)])
    assert writer.flush() == []
    query = f"SELECT COUNT(DISTINCT count), SUM(LENGTH(text)) FROM `{table}`"
    assert [tuple(row) for row in warehouse.client.query(query).result()] == [(25, 25_000_000)]
