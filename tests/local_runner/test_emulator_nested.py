"""Tables with nested records on bqemulator, as we start it, against what BigQuery does."""

import contextlib
import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from gcp.clients import storage_write_client
from pipeline.sinks.storage_write.connection import Connection
from pipeline.sinks.storage_write.stream import default_stream
from tests.support import nested

PRICE = Decimal("12345678901234567890123456789.123456789")


@pytest.fixture
def orders(warehouse):
    """The table of nested.SCHEMA, empty."""
    warehouse.client.create_dataset(str(warehouse.dataset))
    table = bigquery.Table(warehouse.dataset.table(nested.TABLE), nested.SCHEMA)
    return warehouse.client.create_table(table, retry=None)


@pytest.fixture
def query(warehouse):
    def run(sql):
        sql = sql.format(orders=f"`{warehouse.dataset}.orders`", dataset=f"`{warehouse.dataset}`")
        return [dict(row) for row in warehouse.client.query(sql).result()]

    return run


@pytest.fixture
def append(warehouse, orders):
    """Appends Arrow batches over one connection each; gives the code and text of the error."""

    def run(batch):
        client = storage_write_client()
        stream = default_stream(warehouse.dataset, nested.TABLE)
        connection = Connection(client, stream, batch.schema)
        with contextlib.closing(client.transport), contextlib.closing(connection):
            error = connection.wait(connection.send(batch)).error
        return error.code, error.message

    return run


@pytest.fixture
def insert(warehouse, orders):
    """Streams rows with insertAll, bad ones skipped; gives the errors."""
    return lambda *rows: warehouse.client.insert_rows_json(
        orders.reference, rows, skip_invalid_rows=True, retry=None
    )


@pytest.fixture
def rows(query):
    return lambda: query("SELECT * FROM {orders} ORDER BY order_id")


def test_a_table_is_reported_as_it_was_created(warehouse, orders):
    assert tuple(warehouse.client.get_table(orders.reference).schema) == nested.SCHEMA


def test_arrow_rows_are_read_back_equal(append, rows):
    assert append(nested.arrow_batch(nested.ROWS)) == (0, "")
    assert rows() == nested.ROWS


def test_json_rows_are_read_back_equal(insert, rows):
    assert insert(*nested.json_rows(nested.ROWS)) == []
    assert rows() == nested.ROWS


def test_arrays_that_a_writer_leaves_null_are_empty(append, insert, query):
    sparse = {"order_id": "1", "items": [{"sku": "a"}], "address": {"city": "Bern"}}
    assert append(nested.arrow_batch([sparse])) == (0, "")
    assert insert(sparse | {"order_id": "2"}) == []
    assert (
        query(
            "SELECT ARRAY_LENGTH(scores) AS scores, ARRAY_LENGTH(address.totals) AS totals, "
            "ARRAY_LENGTH(items[SAFE_OFFSET(0)].tags) AS tags FROM {orders}"
        )
        == [{"scores": 0, "totals": 0, "tags": 0}] * 2
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"address": pa.array([{"unknown": "x"}])},
        {"address": pa.array(["text"])},
        {"scores": pa.array([[1.0, None]])},
    ],
)
def test_an_arrow_batch_that_does_not_fit_is_refused(append, rows, columns):
    code, text = append(pa.RecordBatch.from_pydict({"order_id": pa.array(["1"]), **columns}))
    assert code == 3
    assert next(iter(columns)) in text
    assert rows() == []


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        ({"items": [{"quantity": "many"}]}, "items[0].quantity"),
        ({"items": [{}, {"price": "dear"}]}, "items[1].price"),
        ({"items": [{"price": "1e40"}]}, "items[0].price"),
        ({"items": [{"quantity": 2**70}]}, "items[0].quantity"),
        ({"items": [{"unknown": 1}]}, "items[0].unknown"),
        ({"items": [{"discounts": [{"until": "2026-02-31"}]}]}, "items[0].discounts[0].until"),
        ({"items": {"sku": "a"}}, "items"),
        ({"items": [None]}, "items"),
        ({"items": None}, "items"),
        ({"address": "text"}, "address"),
        ({"address": {"city": {}}}, "address.city"),
        ({"address": {"geo": {"seen_at": "soon"}}}, "address.geo.seen_at"),
        ({"address": {"geo": {"exact": "maybe"}}}, "address.geo.exact"),
        ({"address": {"geo": {"raw": "{"}}}, "address.geo.raw"),
    ],
)
def test_only_the_row_with_a_bad_nested_value_is_refused(insert, rows, bad, path):
    (error,) = insert({"order_id": "bad"} | bad, {"order_id": "good"})
    assert error["index"] == 0
    assert [each["location"] for each in error["errors"]] == [path]
    assert [row["order_id"] for row in rows()] == ["good"]


def _fields(table, *path):
    """The schema of a table as REST, and the list of fields at a path in it."""
    schema = at = [field.to_api_repr() for field in table.schema]
    for name in path:
        (at,) = (field["fields"] for field in at if field["name"] == name)
    return schema, at


@pytest.mark.parametrize(
    ("path", "field", "old", "row", "new"),
    [
        (("address",), "zip STRING", None, {"address": {"zip": "x"}}, "x"),
        (("address", "geo"), "day DATE", None, {"address": {"geo": {"day": "2026-01-02"}}},
         dt.date(2026, 1, 2)),
        (("items",), "color STRING", None, {"items": [{"color": "red"}]}, "red"),
        (("items", "discounts"), "kinds STRING REPEATED", [],
         {"items": [{"discounts": [{"kinds": ["k"]}]}]}, ["k"]),
    ],
)  # fmt: skip
def test_a_nested_field_is_added(
    warehouse, orders, insert, append, rows, path, field, old, row, new
):
    assert append(nested.arrow_batch([nested.FULL])) == (0, "")
    name, kind, *mode = field.split()
    schema, fields = _fields(orders, *path)
    fields.insert(0, {"name": name, "type": kind, "mode": mode[0] if mode else "NULLABLE"})
    orders.schema = schema
    changed = warehouse.client.update_table(orders, ["schema"], retry=None)
    # A new field comes last, wherever the request puts it.
    assert _fields(changed, *path)[1][-1]["name"] == name
    assert insert({"order_id": "2"} | row) == []
    assert append(nested.arrow_batch([nested.FULL | {"order_id": "3"}])) == (0, "")
    first, second, third = (_value(each, *path, name) for each in rows())
    assert (first, second, third) == (old, new, old)


def _value(row, *path):
    for name in path:
        row = row[name]
        if isinstance(row, list) and name != path[-1]:
            row = row[0]
    return row


def test_a_record_column_is_added(warehouse, orders, insert, append, rows):
    assert append(nested.arrow_batch([nested.EMPTY])) == (0, "")
    payment = bigquery.SchemaField(
        "payment", "RECORD", fields=[bigquery.SchemaField("fees", "NUMERIC", "REPEATED")]
    )
    notes = bigquery.SchemaField(
        "notes", "RECORD", "REPEATED", fields=[bigquery.SchemaField("text", "STRING")]
    )
    orders.schema = [*orders.schema, payment, notes]
    warehouse.client.update_table(orders, ["schema"], retry=None)
    new = {"order_id": "3", "payment": {"fees": ["0.1"]}, "notes": [{"text": "n"}]}
    assert insert(new) == []
    old, written = rows()
    assert old == nested.EMPTY | {"payment": None, "notes": []}
    assert (written["payment"], written["notes"]) == ({"fees": [Decimal("0.1")]}, [{"text": "n"}])


def _drop(fields):
    fields.pop()


def _retype(fields):
    fields[0]["type"] = "INTEGER"


def _require(fields):
    fields.append({"name": "new", "type": "STRING", "mode": "REQUIRED"})


@pytest.mark.parametrize("change", [_drop, _retype, _require])
def test_a_change_that_bigquery_cannot_make_is_refused(warehouse, orders, change):
    before = warehouse.client.get_table(orders.reference).schema
    schema, fields = _fields(orders, "items")
    change(fields)
    orders.schema = schema
    with pytest.raises(BadRequest, match=r"items\."):
        warehouse.client.update_table(orders, ["schema"], retry=None)
    assert warehouse.client.get_table(orders.reference).schema == before


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT o.*, item.price FROM {orders} AS o, UNNEST(items) AS item WHERE item.sku = 'a'",
         [nested.FULL | {"price": PRICE}]),
        ("SELECT address.city, address.geo.order FROM {orders} WHERE address.geo IS NOT NULL",
         [{"city": "Genève", "order": 7}]),
        ("SELECT SUM(item.quantity * item.price) AS s FROM {orders}, UNNEST(items) AS item",
         [{"s": Decimal("24691357802469135780246913578.246913578")}]),
        ("SELECT TO_JSON_STRING(STRUCT(scores, total)) AS j FROM {orders} WHERE total IS NULL",
         [{"j": '{"scores":[],"total":null}'}]),
        ("SELECT ARRAY_LENGTH(items) AS n FROM {orders} ORDER BY order_id",
         [{"n": 2}, {"n": 0}, {"n": 1}]),
        ("SELECT order_id, items FROM {orders} WHERE TRUE QUALIFY ROW_NUMBER() OVER "
         "(PARTITION BY address.city IS NULL ORDER BY address.geo.seen_at, order_id) = 1 "
         "ORDER BY order_id",
         [{"order_id": row["order_id"], "items": row["items"]} for row in nested.ROWS[:2]]),
        ("SELECT position FROM {orders}, UNNEST(scores) AS s WITH OFFSET AS position "
         "ORDER BY position", [{"position": 0}, {"position": 1}]),
        ("SELECT ARRAY_AGG(STRUCT(order_id, total) ORDER BY order_id LIMIT 1) AS a FROM {orders}",
         [{"a": [{"order_id": "1-full", "total": nested.FULL["total"]}]}]),
        ("SELECT STRUCT(SUM(item.quantity) AS n) AS s FROM {orders}, UNNEST(items) AS item",
         [{"s": {"n": 2}}]),
    ],
)  # fmt: skip
def test_queries_over_nested_columns(append, query, sql, expected):
    append(nested.arrow_batch(nested.ROWS))
    assert query(sql) == expected


def test_a_view_a_table_function_and_a_delete(append, query, warehouse):
    append(nested.arrow_batch(nested.ROWS))
    query("CREATE VIEW {dataset}.flat AS SELECT o.*, item.sku FROM {orders} AS o, "
          "UNNEST(items) AS item")  # fmt: skip
    query("CREATE TABLE FUNCTION {dataset}.of_sku(wanted STRING) AS (SELECT order_id, items, "
          "address FROM {orders} WHERE EXISTS (SELECT 1 FROM UNNEST(items) AS i "
          "WHERE i.sku = wanted))")  # fmt: skip
    full = {name: nested.FULL[name] for name in ("order_id", "items", "address")}
    assert query("SELECT * FROM {dataset}.flat WHERE sku = 'b'") == [nested.FULL | {"sku": "b"}]
    assert query("SELECT * FROM {dataset}.of_sku('a')") == [full]
    schema = warehouse.client.get_table(warehouse.dataset.table("flat")).schema
    (address,) = (field for field in schema if field.name == "address")
    assert [field.field_type for field in address.fields[1].fields][2] == "JSON"
    query("DELETE FROM {orders} WHERE address.city = 'Genève' AND "
          "EXISTS (SELECT 1 FROM UNNEST(items) AS i WHERE i.sku = 'a')")  # fmt: skip
    assert [row["order_id"] for row in query("SELECT order_id FROM {orders} ORDER BY 1")] == [
        "2-empty",
        "3-half",
    ]


def test_a_nested_not_null_is_taken(warehouse, query):
    warehouse.client.create_dataset(str(warehouse.dataset))
    query(
        "CREATE TABLE {dataset}.t (a STRUCT<b STRING NOT NULL>, c ARRAY<STRUCT<d INT64 NOT NULL>>)"
    )
    query("INSERT INTO {dataset}.t VALUES (STRUCT('x' AS b), [STRUCT(1 AS d)])")
    assert query("SELECT * FROM {dataset}.t") == [{"a": {"b": "x"}, "c": [{"d": 1}]}]
