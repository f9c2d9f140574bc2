"""Data flows one way: schemas -> transforms -> pipeline -> local_runner, ddl beside pipeline."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "schemas": set(),
    "gcp": {"schemas"},
    "transforms": {"schemas"},
    "pipeline": {"schemas", "gcp", "transforms"},
    "ddl": {"schemas", "gcp"},
    "local_runner": {"schemas", "gcp", "transforms", "pipeline", "ddl"},
    "benchmarks": {"schemas", "gcp", "transforms", "pipeline", "ddl", "local_runner"},
    "examples": set(),  # to be copied
}
MODULES = [path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_import_runs_back(path):
    package = path.relative_to(ROOT).parts[0]
    ours = set(imported_packages(path)) & {*MAY_IMPORT, "tests", "benchmarks"}
    assert ours <= MAY_IMPORT[package] | {package}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_outgrows_a_sitting(path):
    assert len(path.read_text().splitlines()) <= 300


def test_only_lateness_knows_what_an_exam_is():
    for path in sorted((ROOT / "transforms").glob("*.py")):
        if not path.name.startswith("lateness"):
            assert "schemas.exam_event.event" not in path.read_text(), path.name


def test_setup_lists_every_package():
    listed = (ROOT / "setup.py").read_text()
    installed = MAY_IMPORT.keys() - {"benchmarks", "examples"}
    assert all(f'"{package}"' in listed for package in installed)
