"""The shop's views and checks over random tables, by both engines and by plain Python."""

import datetime as dt
from typing import Any

from google.cloud import bigquery

from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.families import FAMILIES
from tests.conftest import Warehouse
from tests.ddl import golden, shop
from tests.ddl.golden import Expected
from tests.ddl.googlesql import GoogleSql

SHOP = tuple(FAMILIES[name] for name in ("orders", "inventory", "user_activity"))
DAY = "2026-03-02"


def expected(tables: shop.Tables) -> list[Expected]:
    """What every view and check gives, over all dates and for one."""
    day = dt.date.fromisoformat(DAY)
    return [
        Expected(view, only, rows)
        for only, dates in ((None, (EARLIEST_DATE, LATEST_DATE)), (DAY, (day, day)))
        for view, rows in shop.views(tables, *dates).items()
    ]


def test_google_s_engine_gives_what_python_gives(googlesql: GoogleSql, dataset: Dataset) -> None:
    tables = shop.tables(seed=1)
    stored = {dataset.table(name): rows for name, rows in tables.items()}
    every = expected(tables)
    queries = [golden.query_with_dates(dataset, one) for one in every]
    for one, rows in zip(every, googlesql.run_all(queries, stored), strict=True):
        golden.assert_equal(one.view, rows, one.rows)


def test_bqemulator_gives_what_python_gives(applied_families: Warehouse) -> None:
    tables = shop.tables(seed=2)
    client, dataset = applied_families.client, applied_families.dataset
    for name, rows in tables.items():
        texts = [golden.as_text(row) for row in rows]
        assert not client.insert_rows_json(dataset.table(name), texts)
    for one in expected(tables):
        config = bigquery.QueryJobConfig(query_parameters=golden.parameters(one))
        found = client.query(golden.query(dataset, one), job_config=config).result()
        golden.assert_equal(one.view, [dict(row) for row in found], one.rows)


def test_amounts_at_the_limit_of_the_contract_do_not_fail(
    googlesql: GoogleSql, dataset: Dataset
) -> None:
    """Google's engine alone: bqemulator has 38 digits for what BigQuery has 76."""
    most = "9" * 29 + ".999999999"
    item: dict[str, Any] = {"product_id": "p", "product_name": "n", "quantity": 10**6}
    order = {
        "event_id": "e",
        "order_date": "2026-03-02T10:00:00Z",
        "items": [item | {"price": most}] * 1000,
        "total_amount": most,
    }
    orders = [order | {"event_id": name, "order_id": name} for name in ("a", "b", "c")]
    rows = [golden.fact(row, place, SHOP[0]) for place, row in enumerate(orders)]
    stored = {dataset.table("orders_fact"): rows}
    (customer,) = googlesql.run(
        f"SELECT * FROM `{dataset.table('customer_lifetime_value')}`", stored
    )
    assert customer["lifetime_value"] == "2" + "9" * 29 + ".999999997"
    check = Expected("orders_total", None, [])
    found = googlesql.run(golden.query(dataset, check), stored, golden.parameters(check))
    assert found == [{"finding": "below", "found": 3}]


def test_the_random_tables_leave_nothing_out() -> None:
    found = set()
    tables = shop.tables(seed=1)
    given = {one.view: one.rows for one in expected(tables) if one.day is None}
    of_a_day = {one.view: one.rows for one in expected(tables) if one.day}
    ids = [row["event_id"] for row in given["orders"]]
    if len(ids) > len(set(ids)):
        found.add("copies on two dates")
    if len(tables["orders_fact"]) > len(ids):
        found.add("copies on one date")
    for order in given["orders_current"]:
        last = [
            row
            for row in given["orders"]
            if (row["order_id"], row["order_date"]) == (order["order_id"], order["order_date"])
        ]
        same = [row for row in last if row["status"] == order["status"]]
        found |= {"tie of order_date"} if len(same) < len(last) else set()
        published = [row for row in same if row["publish_ts"] == order["publish_ts"]]
        found |= {"tie of status"} if len(published) < len(same) else set()
        found |= {"tie of publish_ts"} if len(published) > 1 else set()
    found |= {row["finding"] for name in ("orders_total", "inventory_sign") for row in given[name]}
    found |= {f"is_low {row['is_low']}" for row in given["stock_levels"]}
    shares = [row["conversion"] for row in of_a_day["user_funnel"]]
    found |= {"conversion"} if any(0 < share < 1 for share in shares) else set()
    if any(
        float(row["lifetime_value"]) != row["lifetime_value"]
        for row in given["customer_lifetime_value"]
    ):
        found.add("amount beyond a double")
    if of_a_day["orders_current"] != given["orders_current"]:
        found.add("dates that leave orders out")
    assert found == {
        "copies on two dates",
        "copies on one date",
        "tie of order_date",
        "tie of status",
        "tie of publish_ts",
        "above",
        "below",
        "restock",
        "sale",
        "return",
        "damage",
        "is_low True",
        "is_low False",
        "conversion",
        "amount beyond a double",
        "dates that leave orders out",
    }
