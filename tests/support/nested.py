"""A table of nested records, and rows of it: as read, as Arrow and as insertAll takes them."""

import datetime as dt
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pyarrow as pa
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

TABLE = "orders"
TAG = "projects/p/locations/eu/taxonomies/1/policyTags/2"
_TIMESTAMP = pa.timestamp("us", "UTC")
_NUMERIC = pa.decimal128(38, 9)

SCHEMA = (
    SchemaField("order_id", "STRING", "REQUIRED", description="Identity of the order."),
    SchemaField(
        "items",
        "RECORD",
        "REPEATED",
        description="What was ordered.",
        fields=(
            SchemaField("sku", "STRING", description="The product."),
            SchemaField("quantity", "INTEGER"),
            SchemaField("price", "NUMERIC", description="Of one piece."),
            SchemaField(
                "discounts",
                "RECORD",
                "REPEATED",
                fields=(
                    SchemaField("code", "STRING"),
                    SchemaField("amount", "NUMERIC"),
                    SchemaField("until", "DATE"),
                ),
            ),
            SchemaField("tags", "STRING", "REPEATED"),
        ),
    ),
    SchemaField(
        "address",
        "RECORD",
        description="Where it goes.",
        fields=(
            SchemaField(
                "city", "STRING", description="A town.", policy_tags=bigquery.PolicyTagList([TAG])
            ),
            SchemaField(
                "geo",
                "RECORD",
                fields=(
                    SchemaField("seen_at", "TIMESTAMP", description="When it was seen."),
                    SchemaField("exact", "BOOLEAN"),
                    SchemaField("raw", "JSON"),
                    SchemaField("order", "INTEGER", description="A keyword of SQL."),
                ),
            ),
            SchemaField("totals", "NUMERIC", "REPEATED"),
        ),
    ),
    SchemaField("scores", "FLOAT", "REPEATED"),
    SchemaField("total", "NUMERIC"),
)

ARROW = pa.schema(
    {
        "order_id": pa.string(),
        "items": pa.list_(
            pa.struct(
                {
                    "sku": pa.string(),
                    "quantity": pa.int64(),
                    "price": _NUMERIC,
                    "discounts": pa.list_(
                        pa.struct({"code": pa.string(), "amount": _NUMERIC, "until": pa.date32()})
                    ),
                    "tags": pa.list_(pa.string()),
                }
            )
        ),
        "address": pa.struct(
            {
                "city": pa.string(),
                "geo": pa.struct(
                    {
                        "seen_at": _TIMESTAMP,
                        "exact": pa.bool_(),
                        "raw": pa.string(),
                        "order": pa.int64(),
                    }
                ),
                "totals": pa.list_(_NUMERIC),
            }
        ),
        "scores": pa.list_(pa.float64()),
        "total": _NUMERIC,
    }
)

FULL: dict[str, Any] = {
    "order_id": "1-full",
    "items": [
        {
            "sku": "a",
            "quantity": 2,
            "price": Decimal("12345678901234567890123456789.123456789"),
            "discounts": [
                {"code": "x", "amount": Decimal("0.000000001"), "until": dt.date(2026, 2, 28)},
                {"code": None, "amount": None, "until": None},
            ],
            "tags": ["new", "red"],
        },
        {"sku": "b", "quantity": None, "price": Decimal("1.5"), "discounts": [], "tags": []},
    ],
    "address": {
        "city": "Genève",
        "geo": {
            "seen_at": dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC),
            "exact": False,
            "raw": {"a": [1, None]},
            "order": 7,
        },
        "totals": [Decimal("-0.1"), Decimal("2")],
    },
    "scores": [0.5, 1.25],
    "total": Decimal("-99.000000001"),
}
# What BigQuery gives back of a row without values: an array is never null.
EMPTY: dict[str, Any] = {
    "order_id": "2-empty",
    "items": [],
    "address": None,
    "scores": [],
    "total": None,
}
HALF: dict[str, Any] = {
    "order_id": "3-half",
    "items": [{"sku": None, "quantity": None, "price": None, "discounts": [], "tags": []}],
    "address": {"city": None, "geo": None, "totals": []},
    "scores": [],
    "total": Decimal(0),
}
ROWS = [FULL, EMPTY, HALF]


def arrow_batch(rows: Iterable[dict[str, Any]]) -> pa.RecordBatch:
    """What the Storage Write API takes: JSON as text."""
    return pa.RecordBatch.from_pylist([_with_json_text(row) for row in rows], ARROW)


def json_rows(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What insertAll takes: decimals, dates, timestamps and JSON as text."""
    texts: list[dict[str, Any]] = json.loads(
        json.dumps([_with_json_text(row) for row in rows], default=str)
    )
    return texts


def _with_json_text(row: dict[str, Any]) -> dict[str, Any]:
    address = row.get("address")
    if not address or not address.get("geo"):
        return row
    geo = address["geo"] | {"raw": json.dumps(address["geo"]["raw"])}
    return row | {"address": address | {"geo": geo}}
