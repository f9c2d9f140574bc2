"""The views over INFORMATION_SCHEMA, on Google's analyzer and engine: no emulator has that."""

from typing import Any

import pytest

from ddl import statements
from gcp.dataset import Dataset
from schemas.family import EventFamily
from tests.ddl.googlesql import GoogleSql

# As far as the views read them.
# https://cloud.google.com/bigquery/docs/information-schema-table-storage
# https://cloud.google.com/bigquery/docs/information-schema-jobs
TABLE_STORAGE = """
  project_id STRING, table_schema STRING, table_name STRING, total_rows INT64,
  total_partitions INT64, total_logical_bytes INT64, long_term_logical_bytes INT64,
  total_physical_bytes INT64, storage_last_modified_time TIMESTAMP, deleted BOOL
"""
JOBS = """
  creation_time TIMESTAMP, user_email STRING, job_type STRING, statement_type STRING,
  total_bytes_processed INT64, total_bytes_billed INT64, total_slot_ms INT64,
  referenced_tables ARRAY<STRUCT<project_id STRING, dataset_id STRING, table_id STRING>>
"""
MOMENT = "2026-03-02T10:00:00Z"


@pytest.fixture
def region(dataset: Dataset) -> str:
    return f"{dataset.project}.region-eu.INFORMATION_SCHEMA"


@pytest.fixture
def engine(
    parcels: EventFamily, parcels_sql: GoogleSql, dataset: Dataset, region: str
) -> GoogleSql:
    parcels_sql.create_table(f"CREATE TABLE `{region}.TABLE_STORAGE` ({TABLE_STORAGE})")
    parcels_sql.create_table(f"CREATE TABLE `{region}.JOBS` ({JOBS})")
    for view in statements.operations(dataset, "EU", [parcels]):
        parcels_sql.create(view)
    return parcels_sql


def test_each_column_is_described(
    engine: GoogleSql, parcels: EventFamily, dataset: Dataset
) -> None:
    for view in statements.operations(dataset, "EU", [parcels]):
        columns = [column.name for column in engine.analyze(view.sql).output_column_list]
        assert columns == list(view.descriptions)
        assert all(text.endswith(".") for text in view.descriptions.values())


def test_table_usage_has_a_row_for_each_table(
    engine: GoogleSql, dataset: Dataset, region: str
) -> None:
    def storage(table: str, rows: int, **more: Any) -> dict[str, Any]:
        here = {"table_schema": dataset.name, "table_name": table, "deleted": False}
        return {**here, "total_rows": rows, "storage_last_modified_time": MOMENT, **more}

    given = [
        storage("parcels_fact", 3),
        storage("dead_letters", 1),
        storage("events_fact", 7),
        storage("parcels_fact", 9, deleted=True),
        storage("parcels_fact", 9, table_schema="another"),
    ]
    sql = f"SELECT * FROM `{dataset.table('table_usage')}`"
    rows = engine.run(sql, {f"{region}.TABLE_STORAGE": given})
    assert {(row["event_family"], row["table_name"], row["total_rows"]) for row in rows} == {
        ("parcels", "parcels_fact", 3),
        (None, "dead_letters", 1),
    }


def test_query_costs_are_summed_by_day_table_and_account(
    engine: GoogleSql, dataset: Dataset, region: str
) -> None:
    def job(*tables: str, **more: Any) -> dict[str, Any]:
        read = [
            {"project_id": dataset.project, "dataset_id": dataset.name, "table_id": table}
            for table in tables
        ]
        return {
            "creation_time": MOMENT,
            "user_email": "a@b.c",
            "job_type": "QUERY",
            "statement_type": "SELECT",
            "total_bytes_billed": 10,
            "referenced_tables": read,
            **more,
        }

    given = [
        job("parcels_fact"),
        job("parcels_fact", "dead_letters"),
        job("parcels_fact", creation_time="2026-03-03T00:00:00Z"),
        job("events_fact"),
        job("parcels_fact", statement_type="SCRIPT"),
        job("parcels_fact", job_type="LOAD"),
    ]
    sql = f"SELECT * FROM `{dataset.table('query_costs')}`"
    rows = engine.run(sql, {f"{region}.JOBS": given})
    found = {
        (row["query_date"], row["event_family"], row["queries"], row["bytes_billed"])
        for row in rows
    }
    assert found == {
        ("2026-03-02", "parcels", 2, 20),
        ("2026-03-02", None, 1, 10),
        ("2026-03-03", "parcels", 1, 10),
    }
