"""The command against bqemulator. What each check finds: the golden cases."""

import datetime as dt
from pathlib import Path

import pytest

from ddl import files, statements
from ddl.__main__ import main
from ddl.check import checks, parameters
from gcp.dataset import Dataset
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.ddl.googlesql import GoogleSql

MOMENT = "2026-03-02T10:00:00Z"
CHECKS = files.find("checks", statements.DEFAULT)
# Of the families that the exam needs; the checks of a family of the tests cover their templates.
RENDERED = {name for name in CHECKS if name.startswith(("dimension_changes_", "session_changes_"))}
VIEW = {"event_type": "page_view", "client_ts": MOMENT}


def insert(warehouse: Warehouse, *rows: golden.Row) -> None:
    facts = [golden.fact(VIEW | row, place) for place, row in enumerate(rows)]
    assert not warehouse.client.insert_rows_json(warehouse.dataset.table("events_fact"), facts)


def check(warehouse: Warehouse, *options: str) -> int:
    return main(["check", "--dataset", str(warehouse.dataset), *options])


def test_every_check_has_a_line_and_the_last_line_sums_them_up(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(applied) == 0
    out, error = capsys.readouterr()
    *lines, last = out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["ok", check.name, "0"] for check in checks(applied.dataset)
    ]
    assert last == f"done: {len(lines)} ok, 0 warn, 0 fail"
    assert error == ""


def test_a_warning_fails_nothing(applied: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    insert(applied, {"event_id": "e1"}, {"event_id": "e2", "session_id": "x2"})
    assert check(applied) == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(n for n, line in enumerate(lines) if "sessions_without_start" in line)
    assert lines[place].split()[0] == "warn"
    assert lines[place].endswith("2  Every session has a session_start.")
    assert lines[place + 1].split() == ["without", "an", "end,", "too", "2"]
    assert lines[-1] == f"done: {len(CHECKS) - 1} ok, 1 warn, 0 fail"


def test_a_check_that_fails_does_not_keep_the_others_from_running(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(applied, {"event_id": "e1", "attempt_no": 0, "answer": "secret-answer"})
    assert check(applied, "--start_date", "2026-03-02", "--end_date", "2026-03-02") == 1
    out, error = capsys.readouterr()
    assert ["fail", "ranges", "1"] in [line.split()[:3] for line in out.splitlines()]
    assert "sessions_without_start" in out
    assert out.endswith(" 1 warn, 1 fail\n")
    assert error == ""
    assert "secret" not in out

    assert check(applied, "--start_date", "2026-03-03") == 0
    assert check(applied, "--end_date", "2026-03-01") == 0


def test_show_prints_the_rows_and_a_query_that_gives_them(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(
        applied,
        {"event_id": "bad-1", "attempt_no": 0, "answer": "secret-answer"},
        {"event_id": "bad-2", "attempt_no": 0, "late_status": "MAYBE"},
        {"event_id": "good"},
    )
    assert check(applied, "--show", "ranges", "--end_date", "2026-03-02") == 1
    out, error = capsys.readouterr()
    head, sql, table, last = out.split("\n\n")
    assert head.split()[:3] == ["fail", "ranges", "3"]
    names, *rows = [line.split() for line in table.splitlines()]
    assert names == ["finding", "event_id", "event_type", "message_id", "event_date"]
    assert [row[:2] for row in rows] == [
        ["attempt_no", "bad-1"],
        ["attempt_no", "bad-2"],
        ["late_status", "bad-2"],
    ]
    again = applied.client.query(sql).result()
    assert sorted(row["finding"] for row in again) == [row[0] for row in rows]
    assert last == "done: 0 ok, 0 warn, 1 fail\n"
    assert error == ""
    assert "secret" not in out


def test_show_prints_at_most_a_hundred_rows(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(applied, *({"event_id": f"e{n}", "attempt_no": 0} for n in range(101)))
    assert check(applied, "--show", "ranges") == 1
    out = capsys.readouterr().out
    assert out.count("attempt_no  e") == 100
    assert "the first 100 of 101 rows" in out


def test_an_unknown_field_is_shown_once_with_its_events_and_since_when(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = '{"is_correct": true, "app\\u001b[31m": "secret-answer"}'
    times = [f"2026-03-02T1{n % 3}:00:00Z" for n in range(101)]
    insert(
        applied,
        *({"event_id": f"e{n}", "publish_ts": time, "extra": sent} for n, time in enumerate(times)),
    )
    assert check(applied, "--show", "unknown_fields") == 0
    out = capsys.readouterr().out
    head, *fields = out.split("\n\n")[0].splitlines()
    assert head.split()[:3] == ["warn", "unknown_fields", "202"]
    assert [line.split() for line in fields] == [
        ["app\\x1b[31m", "101"],
        ["is_correct", "(is_correct_answer?)", "101"],
    ]
    table = out.split("\n\n")[2].splitlines()
    assert table[0].split() == ["finding", "first_seen", "events"]
    assert table[2].split()[-2:] == ["2026-03-02T10:00:00Z", "101"]
    assert "rows" not in out.split("\n\n", 2)[2]
    assert "secret" not in out
    assert out.endswith("done: 0 ok, 1 warn, 0 fail\n")


def test_show_of_a_check_without_findings(
    applied: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(applied, "--show", "far_apart") == 0
    out = capsys.readouterr().out
    assert "FROM `" in out
    assert out.endswith("\n\ndone: 1 ok, 0 warn, 0 fail\n")


@pytest.mark.parametrize(
    "options",
    [
        ["--start_date", "2026-03-02T00:00:00Z"],
        ["--end_date", "2026-02-30"],
        ["--start_date", "2026-03-02", "--end_date", "2026-03-01"],
        ["--start_date", "2026-03-02'; DROP TABLE events_fact; --"],
        ["--start_date", "0001-01-08"],
        ["--end_date", "9999-12-24"],
        ["--show", "no_such_check"],
    ],
)
def test_wrong_dates_are_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["check", "--dataset", "local-exams.any", *options])
    assert exit_.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("day", ["0001-01-09", "9999-12-23"])
def test_every_check_takes_the_first_and_the_last_date_of_all(
    day: str, googlesql: GoogleSql, dataset: Dataset
) -> None:
    date = dt.date.fromisoformat(day)
    found = checks(dataset)
    answers = googlesql.run_all([one.counting for one in found], {}, parameters(date, date))
    assert not any(answers)
    assert len(answers) == len(found)


def test_a_dataset_that_is_not_there_is_one_line(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(warehouse) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_what_fails_comes_first_then_names_in_order() -> None:
    found = [(c.severity, c.name) for c in checks(Dataset("local-exams", "any"))]
    assert found == sorted(found)
    assert {name for _, name in found} == set(CHECKS)


def test_every_file_begins_with_its_severity_and_rule() -> None:
    found = checks(Dataset("local-exams", "any"))
    letters = {"dead_letters_grain", "dead_letters_nulls", "dead_letters_ranges"}
    own = {"grain", "nulls", "ranges", *letters}
    assert {c.name for c in found if c.severity == "fail"} - RENDERED == own
    assert all(c.rule.endswith(".") and len(c.rule) < 100 for c in found)


def test_the_parameters_stand_in_no_comment() -> None:
    """The emulator would take them for further ones."""
    for path in Path(statements.__file__).parent.glob("*/checks/*.sql"):
        comments = [line for line in path.read_text().splitlines() if "--" in line]
        assert not any("@" in line for line in comments), path.name


def test_each_check_has_golden_findings_and_a_day_of_its_own() -> None:
    covered = {e.view for name in golden.names() for e in golden.load(name).expected if e.rows}
    by_day = {e.view for name in golden.names() for e in golden.load(name).expected if e.day}
    assert set(CHECKS) - RENDERED <= covered & by_day
