import pytest

from ddl import statements
from schemas.warehouse import Dataset
from tests.ddl.googlesql import GoogleSql


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return Dataset("local-exams", "golden")


@pytest.fixture(scope="session")
def googlesql(dataset: Dataset) -> GoogleSql:
    """Google's SQL engine with every table, function and view of ours."""
    engine = GoogleSql()
    for table in statements.TABLES:
        engine.create_table(statements.render(dataset, f"tables/{table}.sql"))
    for query in statements.queries(dataset):
        engine.create(query)
    return engine
