"""The command against bqemulator. What each check finds: the golden cases."""

from pathlib import Path

import pytest

from ddl import statements
from ddl.__main__ import main
from ddl.check import checks
from gcp.dataset import Dataset
from tests.conftest import Warehouse
from tests.ddl import golden

MOMENT = "2026-03-02T10:00:00Z"
VIEW = {"event_type": "page_view", "client_ts": MOMENT}


def insert(warehouse: Warehouse, *rows: golden.Row) -> None:
    facts = [golden.fact(VIEW | row, place) for place, row in enumerate(rows)]
    assert not warehouse.client.insert_rows_json(warehouse.dataset.table("events_fact"), facts)


def check(warehouse: Warehouse, *options: str) -> int:
    return main(["check", "--dataset", str(warehouse.dataset), *options])


def test_every_check_is_told_in_a_line(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(applied) == 0
    out, error = capsys.readouterr()
    assert [line.split()[:3] for line in out.splitlines()] == [
        ["ok", check.name, "0"] for check in checks(applied.dataset)
    ]
    assert error == ""


def test_a_warning_is_told_and_fails_nothing(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(applied, {"event_id": "e1"}, {"event_id": "e2", "session_id": "x2"})
    assert check(applied) == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(n for n, line in enumerate(lines) if "sessions_without_start" in line)
    assert lines[place].split()[0] == "warn"
    assert lines[place].endswith("2  Every session has a session_start.")
    assert lines[place + 1].split() == ["without", "an", "end,", "too", "2"]


def test_a_grave_finding_fails_and_the_rest_is_told_all_the_same(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(applied, {"event_id": "e1", "attempt_no": 0, "answer": "secret-answer"})
    assert check(applied, "--start_date", "2026-03-02", "--end_date", "2026-03-02") == 1
    out, error = capsys.readouterr()
    assert ["fail", "ranges", "1"] in [line.split()[:3] for line in out.splitlines()]
    assert "sessions_without_start" in out
    assert error == "error: 1 checks failed\n"
    assert "secret" not in out

    assert check(applied, "--start_date", "2026-03-03") == 0
    assert check(applied, "--end_date", "2026-03-01") == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--start_date", "2026-03-02T00:00:00Z"],
        ["--end_date", "2026-02-30"],
        ["--start_date", "2026-03-02", "--end_date", "2026-03-01"],
        ["--start_date", "2026-03-02'; DROP TABLE events_fact; --"],
    ],
)
def test_wrong_dates_are_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["check", "--dataset", "local-exams.any", *options])
    assert exit_.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_dataset_that_is_not_there_is_one_line(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(warehouse) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_what_fails_comes_first_then_names_in_order() -> None:
    found = [(c.severity, c.name) for c in checks(Dataset("local-exams", "any"))]
    assert found == sorted(found)
    assert {name for _, name in found} == set(statements.CHECKS)


def test_every_file_tells_how_grave_it_is_in_a_sentence() -> None:
    found = checks(Dataset("local-exams", "any"))
    assert {c.name for c in found if c.severity == "fail"} == {"grain", "nulls", "ranges"}
    assert all(c.rule.endswith(".") and len(c.rule) < 100 for c in found)


def test_the_parameters_stand_in_no_comment() -> None:
    """The emulator would take them for further ones."""
    for path in Path(statements.__file__).parent.glob("*/checks/*.sql"):
        comments = [line for line in path.read_text().splitlines() if "--" in line]
        assert not any("@" in line for line in comments), path.name


def test_each_check_has_golden_findings_and_a_day_of_its_own() -> None:
    told = {e.view for name in golden.names() for e in golden.load(name).expected if e.rows}
    by_day = {e.view for name in golden.names() for e in golden.load(name).expected if e.day}
    assert set(statements.CHECKS) <= told & by_day
