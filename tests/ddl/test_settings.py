"""The file of lateness settings, from the CSV to the table."""

from pathlib import Path

import pytest

from ddl import settings
from ddl.__main__ import main
from ddl.apply import apply
from schemas.lateness import SettingsRow
from tests.conftest import Warehouse

HEADER = "test_id,duration_seconds,grace_seconds\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.csv"


def row(test_id: str | None, duration: int | None, grace: int | None) -> SettingsRow:
    return SettingsRow(duration, grace, test_id)


def rows(warehouse: Warehouse) -> list[SettingsRow]:
    table = warehouse.client.get_table(warehouse.dataset.table("lateness_settings"))
    found = (SettingsRow(**dict(line)) for line in warehouse.client.list_rows(table))
    return sorted(found, key=lambda row: row.test_id or "")


def test_what_is_empty_is_null(file: Path) -> None:
    file.write_text(HEADER + ",10800,\nt1,,0\nt2,1,604800\n")
    assert settings.read(file) == [row(None, 10800, None), row("t1", None, 0), row("t2", 1, 604800)]


def test_spreadsheets_may_write_the_file(file: Path) -> None:
    text = 'grace_seconds,test_id,duration_seconds\r\n30,"algebra, part 2",\r\n'
    file.write_text(text, encoding="utf-8-sig", newline="")
    assert settings.read(file) == [row("algebra, part 2", None, 30)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", f"line 1: the first line must name the columns {HEADER.strip()}"),
        (HEADER, "line 1: there are no rows"),
        ("test_id,duration_seconds\nt1,60\n", "line 1: the first line must name"),
        ("test_id,duration_seconds,grace_seconds,mood\n", "line 1: the first line must name"),
        ("test_id,test_id,grace_seconds\n", "line 1: the first line must name"),
        (HEADER + "t1,60,0\nt2,0,0\n", "line 3: duration_seconds must be an integer from 1 to"),
        (HEADER + "t1,604801,0\n", "line 2: duration_seconds must be an integer from 1 to 604,800"),
        (HEADER + "t1,1.5,0\n", "line 2: duration_seconds must be"),
        (HEADER + "t1,60,-1\n", "line 2: grace_seconds must be an integer from 0 to 604,800"),
        (HEADER + "t1,60,604801\n", "line 2: grace_seconds must be"),
        (HEADER + "t1,60,\u0663\n", "line 2: grace_seconds must be"),
        (HEADER + "t1,60,0,0\n", "line 2: more than 3 values"),
        (HEADER + "t1,60\n\n,,\nt1,,\n", "line 5: a second row for this test"),
        (HEADER + ",60,0\n,70,0\n", "line 3: a second row for every test"),
        (HEADER + f"{'t' * 129},60,0\n", "line 2: test_id must be at most 128 characters"),
        (HEADER + '"t1,60,0\n', "line 2: "),
    ],
)
def test_a_wrong_file_is_one_line_and_changes_nothing(
    text: str, reason: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text)
    assert reason in refused(file, capsys)


def test_a_file_that_cannot_be_read_is_one_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{file}: No such file or directory" in refused(file, capsys)
    file.write_bytes(b"\xff\xfe\x00")
    assert f"{file}: it is not UTF-8 text" in refused(file, capsys)


def refused(file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says; no server is there that it could have reached."""
    with pytest.raises(SystemExit) as exit_:
        main(["apply", "--dataset", "local-exams.untouched", "--lateness_settings", str(file)])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --lateness_settings: ")
    assert error.count("\n") == 1
    return error


def test_a_file_replaces_the_whole_table(
    applied: Warehouse, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["apply", "--dataset", str(applied.dataset), "--lateness_settings", str(file)]
    file.write_text(HEADER + ",10800,\nt1,60,5\n")
    assert main([*command, "--dry_run"]) == 0
    assert "would load lateness_settings: 2 rows\n" in capsys.readouterr().out
    assert main(command) == 0
    assert "load lateness_settings: 2 rows\n" in capsys.readouterr().out
    assert rows(applied) == [row(None, 10800, None), row("t1", 60, 5)]

    file.write_text(HEADER + "t1,60,5\n,10800,\n")
    assert main(command) == 0
    assert "lateness_settings" not in capsys.readouterr().out

    file.write_text(HEADER + "t2,,7\n")
    assert main(command) == 0
    assert "load lateness_settings: 1 rows\n" in capsys.readouterr().out
    assert rows(applied) == [row("t2", None, 7)]

    apply(applied.client, applied.dataset)
    assert rows(applied) == [row("t2", None, 7)]


def test_loading_leaves_the_table_as_declared(applied: Warehouse, file: Path) -> None:
    before = applied.client.get_table(applied.dataset.table("lateness_settings"))
    file.write_text(HEADER + "t1,60,5\n")
    command = ["apply", "--dataset", str(applied.dataset), "--lateness_settings", str(file)]
    assert main(command) == 0
    after = applied.client.get_table(before.reference)
    assert after.schema == before.schema
    assert after.description == before.description
