"""The queries of reconcile and replay, through both engines: which rows they count and give."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from google.cloud import bigquery

from ddl.apply import apply
from pipeline import reconcile
from pipeline.reconcile import Window
from schemas.warehouse import Dataset
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.ddl.golden import Row
from tests.ddl.googlesql import AnyParameter, GoogleSql
from tests.ddl.test_views import as_text

Run = Callable[[str, dict[str, list[Row]], Sequence[AnyParameter]], list[Row]]
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


@pytest.fixture(params=["zetasql", "bqemulator"])
def run(request: pytest.FixtureRequest) -> Run:
    """Fills in a dataset, fills its tables, and runs a query on one of the engines."""
    if request.param == "zetasql":
        return on_zetasql(request.getfixturevalue("googlesql"), request.getfixturevalue("dataset"))
    return on_bqemulator(request.getfixturevalue("warehouse"))


def on_zetasql(engine: GoogleSql, dataset: Dataset) -> Run:
    def run(sql: str, tables: dict[str, list[Row]], parameters: Sequence[AnyParameter]) -> Any:
        full_names = {dataset.table(name): rows for name, rows in tables.items()}
        return engine.run(dataset.fill(sql).rstrip(";\n"), full_names, parameters)

    return run


def on_bqemulator(warehouse: Warehouse) -> Run:
    def run(sql: str, tables: dict[str, list[Row]], parameters: Sequence[AnyParameter]) -> Any:
        client, dataset = warehouse.client, warehouse.dataset
        apply(client, dataset)
        for name, rows in tables.items():
            assert not client.insert_rows_json(dataset.table(name), [as_text(row) for row in rows])
        config = bigquery.QueryJobConfig(query_parameters=list(parameters))
        return [dict(row) for row in client.query(dataset.fill(sql), job_config=config).result()]

    return run


def fact(event_id: str, message_id: str, hours: float = 0, **more: Any) -> Row:
    moment = (DAY + dt.timedelta(hours=hours)).isoformat()
    told = {"event_id": event_id, "event_type": "page_view", "message_id": message_id}
    return golden.fact({"client_ts": moment, "publish_ts": moment, **told, **more}, 0)


def letter(message_id: str, kind: str, hours: float = 0, **more: Any) -> Row:
    moment = (DAY + dt.timedelta(hours=hours)).isoformat()
    told = {"error_kind": kind, "publish_time": moment, "failed_at": moment}
    return golden.letter({"message_id": message_id, **told, **more}, 0)


def counted(run: Run, window: Window, tables: dict[str, list[Row]]) -> dict[str, int]:
    rows = run(reconcile.SQL, tables, window.parameters)
    return {row["quantity"]: int(row["found"]) for row in rows}


def test_each_message_counts_once(run: Run) -> None:
    tables = {
        "events_fact": [
            fact("e1", "m1"),
            fact("e1", "m1", ingest_ts="2026-03-05T00:00:00Z"),  # written twice
            fact("e1", "m2", answer="changed"),  # a conflict
            fact("e2", "m3"),
            fact("e2", "m4"),
        ],
        "dead_letters": [
            letter("m5", "not_json"),
            letter("m5", "not_json"),  # written twice
            letter("m6", "not_json"),
            letter("m7", "store_error"),
            letter("m8", "schema_violation"),
            letter("m8", "not_json"),  # told twice, in two ways
            letter("m1", "internal_error"),  # a fact all the same
        ],
    }
    assert counted(run, Window(), tables) == {
        "facts": 2,
        "duplicates": 2,
        "conflicts": 1,
        "not_json": 3,
        "store_error": 1,
    }


def test_a_window_is_of_publish_times_and_reads_the_partitions_around_it(run: Run) -> None:
    window = Window(DAY, DAY + dt.timedelta(hours=1))
    early, late = "2026-02-22T00:00:00Z", "2026-03-04T00:00:00Z"
    tables = {
        "events_fact": [
            fact("before", "m1", -0.01),
            fact("first", "m2", 0),
            fact("last", "m3", 0.99),
            fact("after", "m4", 1),
            fact("old", "m5", client_ts=early),
            fact("too-old", "m6", client_ts="2026-02-21T23:59:59Z"),
            fact("ahead", "m7", client_ts=late),
            fact("too-far-ahead", "m8", client_ts="2026-03-05T00:00:00Z"),
            fact("conflict-before", "m9", -2),
            fact("conflict-before", "m10", -1, answer="changed"),
            fact("conflict-across", "m11", -2),
            fact("conflict-across", "m12", 0.5, answer="changed"),
        ],
        "dead_letters": [
            letter("d1", "not_json", -0.01),
            letter("d2", "not_json", 0),
            letter("d3", "not_json", 1),
            letter("d4", "store_error", 0.5, failed_at=late),
            letter("d5", "store_error", 0.5, failed_at="2026-03-05T00:00:00Z"),
        ],
    }
    assert counted(run, window, tables) == {
        "facts": 5,
        "duplicates": 0,
        "conflicts": 1,
        "not_json": 1,
        "store_error": 1,
    }


def test_empty_tables_count_nothing(run: Run) -> None:
    assert counted(run, Window(), {}) == {"facts": 0, "duplicates": 0, "conflicts": 0}
