import contextlib

import pytest
from wasmtime import Config, WasmtimeError
from zetasql.core import wasm_client

from ddl import statements
from gcp.dataset import Dataset
from tests.ddl.googlesql import GoogleSql
from tests.ddl.operations import Run, on_bqemulator, on_zetasql


class CachingConfig(Config):
    """Keeps the compiled zetasql on disk: it takes 15 seconds of both cores, and then 0.3."""

    def __init__(self) -> None:
        super().__init__()
        with contextlib.suppress(WasmtimeError):
            self.cache = True


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return Dataset("local-exams", "golden")


@pytest.fixture(scope="session")
def googlesql(dataset: Dataset) -> GoogleSql:
    """Google's SQL engine with every table, function and view of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wasm_client, "Config", CachingConfig)
        engine = GoogleSql()
    for table in statements.TABLES:
        engine.create_table(statements.render(dataset, "tables", table))
    for query in statements.queries(dataset):
        engine.create(query)
    return engine


@pytest.fixture(params=["zetasql", "bqemulator"])
def run(request: pytest.FixtureRequest) -> Run:
    """Fills in a dataset, fills its tables, and runs a query on one of the engines."""
    if request.param == "zetasql":
        return on_zetasql(request.getfixturevalue("googlesql"), request.getfixturevalue("dataset"))
    return on_bqemulator(request.getfixturevalue("warehouse"))
