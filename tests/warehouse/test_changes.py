"""What changes under the runs: a table is dropped, another gets a column, a clock is wrong."""

import datetime as dt

import pytest

from ddl import files
from ddl.apply import apply
from ddl.stored import stored_tables
from gcp.dataset import Dataset
from gcp.runs import Outcome, Run, RunLog, Status
from schemas.families import DEFAULT_FAMILY
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.warehouse import running
from tests.warehouse.running import WRITTEN
from warehouse.__main__ import main
from warehouse.definition import fingerprint

TABLE = "test_summary_daily"
LATER = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def new_column(monkeypatch):
    """Adds the column last_began to test_summary_daily, its table and its SELECT."""
    read = files.text

    def text(path: str) -> str:
        if path != f"exam_event/stored/{TABLE}.sql":
            return read(path)
        column = '  last_began TIMESTAMP OPTIONS (description = "The latest."),\n  created_at'
        changed = read(path).replace("  created_at", column, 1)
        return changed.replace("\nFROM ", ",\n  MAX(began) AS last_began\nFROM ", 1)

    return lambda: monkeypatch.setattr(files, "text", text)


def test_a_changed_select_is_another_definition(new_column) -> None:
    dataset = Dataset("local-exams", "any")
    before = fingerprint(dataset, stored_tables(dataset, [DEFAULT_FAMILY]))
    assert fingerprint(dataset, stored_tables(dataset, [DEFAULT_FAMILY])) == before
    new_column()
    assert fingerprint(dataset, stored_tables(dataset, [DEFAULT_FAMILY])) != before


def test_a_table_is_right_after_it_was_dropped_and_its_view_got_a_column(
    applied: Warehouse, new_column, capsys
) -> None:
    """One table, and what it reads: a run over all takes long here."""
    command = ["run", TABLE, "--dataset", str(applied.dataset)]
    name = f"{applied.dataset}.{TABLE}"
    hint = f"run python -m ddl apply --dataset {applied.dataset}"
    running.arrive(applied, golden.load("stored_facts").tables)
    assert main(command) == 0
    assert running.rows(applied, TABLE, WRITTEN) == running.rows(applied, f"{TABLE}_live")

    new_column()
    assert main(command) == 1
    assert says(capsys) == f"error: table {name} has no column last_began: {hint}"
    applied.client.query(f"DROP TABLE `{name}`").result()
    assert main(command) == 1
    assert says(capsys) == f"error: table {name} does not exist: {hint}"

    apply(applied.client, applied.dataset)
    capsys.readouterr()
    assert main(command) == 0
    assert "Taking what came since the beginning" in capsys.readouterr().out
    found = running.rows(applied, TABLE, WRITTEN)
    assert found == running.rows(applied, f"{TABLE}_live")
    assert all(row["last_began"] for row in found)

    log = RunLog(applied.client, applied.dataset)
    later = Run(pipeline_name=f"warehouse: {TABLE}", window_end=LATER, started_at=LATER)
    details = log.last_details(later.pipeline_name, None)
    log.ended(later, Status.SUCCEEDED, Outcome(details=details))
    assert main(command) == 1
    assert says(capsys) == (
        "error: the last run's window ends at 2999-01-01 00:00:00 UTC, which is in the future: "
        "check this machine's clock"
    )


def says(capsys) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line
