import contextlib
import functools
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from wasmtime import Config, WasmtimeError
from zetasql.core import wasm_client

from ddl import files, statements, stored
from ddl.render import family as render
from gcp import arguments
from gcp.dataset import Dataset, _template
from schemas.families import FAMILIES
from schemas.family import EventFamily
from tests.ddl.googlesql import GoogleSql
from tests.ddl.operations import Run, on_bqemulator, on_zetasql
from tests.ddl.parcels import PARCELS

DDL = Path(files.__file__).parent


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
    return _whole_engine(dataset)


@functools.cache
def _whole_engine(dataset: Dataset) -> GoogleSql:
    """Takes seconds; the tests of the dashboard use it too."""
    return engine(dataset, tuple(FAMILIES.values()))


def engine(dataset: Dataset, families: statements.Families) -> GoogleSql:
    """Google's SQL engine with every table, function and view of these families."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wasm_client, "Config", CachingConfig)
        made = GoogleSql()
    for name in files.find("tables", families):
        made.create_table(statements.render(dataset, "tables", name))
    for table in stored.stored_tables(dataset, families):
        made.create_table(table.create)
    for query in statements.queries(dataset, families):
        made.create(query)
    return made


@pytest.fixture
def parcels(tmp_path: Path) -> Iterator[EventFamily]:
    """The family of tests/ddl/parcels.py, registered, with its rendered files beside the others."""
    folder = tmp_path / "ddl"
    shutil.copytree(DDL, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    render.write(PARCELS, folder)
    families = {**FAMILIES, PARCELS.name: PARCELS}
    real = resources.files

    def found(package: str) -> Any:
        return folder if package == "ddl" else real(package)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "files", found)
        patch.setattr(files, "FAMILIES", families)
        patch.setattr(arguments, "FAMILIES", families)
        _forget()
        yield PARCELS
    _forget()


def _forget() -> None:
    files._find.cache_clear()
    _template.cache_clear()


@pytest.fixture
def parcels_sql(parcels: EventFamily, dataset: Dataset) -> GoogleSql:
    """Google's SQL engine with that family, and what all share."""
    return engine(dataset, [parcels])


@pytest.fixture(params=["zetasql", "bqemulator"])
def run(request: pytest.FixtureRequest) -> Run:
    """Fills in a dataset, fills its tables, and runs a query on one of the engines."""
    if request.param == "zetasql":
        return on_zetasql(request.getfixturevalue("googlesql"), request.getfixturevalue("dataset"))
    return on_bqemulator(request.getfixturevalue("applied"))
