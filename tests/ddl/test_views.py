"""Every golden case through two engines: Google's reference implementation, and bqemulator."""

import pytest
from google.cloud import bigquery

from gcp.dataset import Dataset
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.ddl.golden import Case
from tests.ddl.googlesql import GoogleSql

ORDERED = {"wrong_answers_by_question"}


@pytest.fixture(params=golden.names())
def case(request: pytest.FixtureRequest) -> Case:
    return golden.load(request.param)


def test_reference_engine_gives_the_golden_rows(
    case: Case, googlesql: GoogleSql, dataset: Dataset
) -> None:
    tables = {dataset.table(name): rows for name, rows in case.tables.items()}
    queries = [golden.query_with_dates(dataset, expected) for expected in case.expected]
    for expected, rows in zip(case.expected, googlesql.run_all(queries, tables), strict=True):
        golden.check(rows, expected, ordered=expected.view in ORDERED)


def test_bqemulator_gives_the_golden_rows(case: Case, applied_families: Warehouse) -> None:
    warehouse = applied_families
    for name, rows in case.tables.items():
        if rows:
            assert not warehouse.client.insert_rows_json(
                warehouse.dataset.table(name), [golden.as_text(row) for row in rows]
            )
    for expected in case.expected:
        config = bigquery.QueryJobConfig(query_parameters=golden.parameters(expected))
        sql = golden.query(warehouse.dataset, expected)
        rows = warehouse.client.query(sql, job_config=config).result()
        golden.check([dict(row) for row in rows], expected, ordered=expected.view in ORDERED)
