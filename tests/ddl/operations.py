"""The engines that run the operators' queries, and rows for their tables."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from google.cloud import bigquery

from gcp.dataset import Dataset
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.ddl.golden import Row
from tests.ddl.googlesql import AnyParameter, GoogleSql

# Gives the SQL of a query of the pipeline for a dataset.
Statement = Callable[[Dataset], str]
# Runs such a query: its SQL, rows of the tables, the parameters.
Run = Callable[[Statement, dict[str, list[Row]], Sequence[AnyParameter]], list[Row]]
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def on_zetasql(engine: GoogleSql, dataset: Dataset) -> Run:
    def run(
        statement: Statement, tables: dict[str, list[Row]], parameters: Sequence[AnyParameter]
    ) -> Any:
        full_names = {dataset.table(name): rows for name, rows in tables.items()}
        return engine.run(statement(dataset).rstrip(";\n"), full_names, parameters)

    return run


def on_bqemulator(applied: Warehouse) -> Run:
    def run(
        statement: Statement, tables: dict[str, list[Row]], parameters: Sequence[AnyParameter]
    ) -> Any:
        client, dataset = applied.client, applied.dataset
        for name, rows in tables.items():
            assert not client.insert_rows_json(
                dataset.table(name), [golden.as_text(row) for row in rows]
            )
        config = bigquery.QueryJobConfig(query_parameters=list(parameters))
        return [dict(row) for row in client.query(statement(dataset), config).result()]

    return run


def fact(event_id: str, message_id: str, hours: float = 0, **more: Any) -> Row:
    moment = (DAY + dt.timedelta(hours=hours)).isoformat()
    defaults = {"event_id": event_id, "event_type": "page_view", "message_id": message_id}
    return golden.fact({"client_ts": moment, "publish_ts": moment, **defaults, **more}, 0)


def letter(message_id: str, kind: str, hours: float = 0, **more: Any) -> Row:
    moment = (DAY + dt.timedelta(hours=hours)).isoformat()
    defaults = {"error_kind": kind, "publish_time": moment, "failed_at": moment}
    return golden.letter({"message_id": message_id, **defaults, **more}, 0)
