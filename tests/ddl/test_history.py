"""Views over this dataset and an older one."""

from collections.abc import Iterator

import pytest

from ddl import statements
from ddl.__main__ import main
from ddl.apply import apply
from ddl.plan import Options
from gcp.dataset import Dataset
from schemas.families import FAMILIES
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.ddl.golden import Row
from tests.ddl.googlesql import GoogleSql

ORDERS = FAMILIES["orders"]
OPTIONS = ["--dataset", "local-exams.any", "--event_family"]
EARLY, LATE = "2025-03-02T10:00:00Z", "2026-03-02T10:00:00Z"
COPIED = {"event_id": "b", "order_date": LATE, "publish_ts": LATE}


def fact(place: int, **row: str) -> Row:
    return golden.fact(row, place, ORDERS)


LIVE = [
    fact(1, event_id="c", order_date=LATE),
    fact(2, **COPIED | {"message_id": "z", "order_id": "live"}),
]
OLDER = [
    fact(3, event_id="a", order_date=EARLY),
    fact(4, **COPIED | {"message_id": "y", "order_id": "older"}),
]
HISTORY = {("a", "o1"), ("b", "older"), ("c", "o1")}


@pytest.fixture
def older(warehouse: Warehouse) -> Iterator[Dataset]:
    """An older dataset with tables of its own."""
    dataset = Dataset(warehouse.dataset.project, f"{warehouse.dataset.name}_older")
    apply(warehouse.client, dataset, families=[ORDERS])
    yield dataset
    warehouse.client.delete_dataset(str(dataset), delete_contents=True)


def test_history_has_the_events_of_both_datasets(warehouse: Warehouse, older: Dataset) -> None:
    client, dataset = warehouse.client, warehouse.dataset
    options = Options(older_dataset=older)
    made = {action.summary for action in apply(client, dataset, options, [ORDERS])}
    assert {"create table function orders_history_between", "create view orders_history"} <= made
    for place, rows in ((dataset, LIVE), (older, OLDER)):
        assert not client.insert_rows_json(place.table("orders_fact"), rows)
    rows = list(client.query(f"SELECT * FROM `{dataset.table('orders_history')}`").result())
    assert {(row["event_id"], row["order_id"]) for row in rows} == HISTORY
    assert len(rows) == 3
    year = f"`{dataset.table('orders_history_between')}`(DATE '2025-01-01', DATE '2025-12-31')"
    (row,) = client.query(f"SELECT event_id FROM {year}").result()
    assert row["event_id"] == "a"

    without = apply(client, dataset, families=[ORDERS])
    assert not any("history" in action.summary for action in without)
    assert (
        len(list(client.query(f"SELECT * FROM `{dataset.table('orders_history')}`").result())) == 3
    )


def test_google_s_engine_reads_both_datasets(googlesql: GoogleSql, dataset: Dataset) -> None:
    older = Dataset("local-exams", "golden_older")
    googlesql.create_table(statements.render(older, "tables", "orders_fact"))
    for query in statements.queries(dataset, [ORDERS], older):
        if "history" in query.name:
            googlesql.create(query)
    tables = {dataset.table("orders_fact"): LIVE, older.table("orders_fact"): OLDER}
    rows = googlesql.run(f"SELECT * FROM `{dataset.table('orders_history')}`", tables)
    assert sorted((row["event_id"], row["order_id"]) for row in rows) == sorted(HISTORY)


@pytest.mark.parametrize(
    ("family", "older", "problem"),
    [
        ("orders", "local-exams.any", "must be another dataset than --dataset"),
        ("inventory", "local-exams.b", "these event families have no view over an older dataset"),
    ],
)
def test_an_older_dataset_that_does_not_fit_is_one_line(
    family: str, older: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["apply", *OPTIONS, family, "--older_dataset", older])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == f"error: --older_dataset: {problem}\n"
