"""The files rendered from a contract: what they say, and that those checked in are up to date."""

import dataclasses
from pathlib import Path

import pytest

from ddl.__main__ import main
from ddl.render import family as render
from gcp import arguments
from schemas.families import FAMILIES
from tests.ddl.parcels import PARCELS

DERIVED = [family for family in FAMILIES.values() if not family.written]


def test_the_checked_in_files_are_up_to_date() -> None:
    stale = [f"ddl/{path}" for family in DERIVED for path in render.stale(family)]
    assert stale == [], f"run {render.COMMAND}"


def test_a_file_is_written_once_and_again_where_it_is_stale(tmp_path: Path) -> None:
    written = render.write(PARCELS, tmp_path)
    assert written == list(render.rendered(PARCELS))
    assert render.write(PARCELS, tmp_path) == []
    edited = tmp_path / "parcels/checks/parcels_grain.sql"
    edited.write_text("SELECT 1;\n")
    assert render.stale(PARCELS, tmp_path) == ["parcels/checks/parcels_grain.sql"]
    render.write(PARCELS, tmp_path)
    assert edited.read_text() == render.rendered(PARCELS)["parcels/checks/parcels_grain.sql"]


def test_check_passes_where_nothing_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--check"]) == 0
    assert capsys.readouterr().out == "nothing to change\n"


@pytest.mark.usefixtures("parcels")
def test_check_names_the_stale_file_and_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--event_family", "parcels", "--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"ddl/{path} is stale: run python -m ddl render" for path in render.rendered(PARCELS)
    ]


@pytest.mark.parametrize("name", ["publish_ts", "last_date", "parcel_id"])
def test_a_column_needs_a_name_of_its_own(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    family = dataclasses.replace(PARCELS, renamed={"fee": name})
    monkeypatch.setattr(arguments, "FAMILIES", {"parcels": family})
    assert main(["render", "--event_family", "parcels", "--check"]) == 1
    assert capsys.readouterr().err == (
        f"error: parcels: the column {name} needs another name: give it one in renamed\n"
    )


def test_unknown_fields_are_checked_where_they_are_kept() -> None:
    path = "parcels/checks/parcels_unknown_fields.sql"
    assert path in render.rendered(PARCELS)
    assert path not in render.rendered(dataclasses.replace(PARCELS, unknown="drop"))


def test_files_written_by_hand_are_not_rendered(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["render", "--event_family", "exam_event"])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == "error: the SQL files of exam_event are written by hand\n"
