"""``python -m warehouse load``: files of dimensions, through the same graph as any message."""

import json
from pathlib import Path

import pytest

from tests.conftest import Warehouse
from tests.support import pseudonyms
from warehouse.__main__ import main

_TWICE = "k1=env:A,k1=env:B"


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def query(applied_families: Warehouse):
    """Runs SQL with ``{dataset}`` filled in."""

    def rows_of(sql: str) -> list[dict[str, object]]:
        dataset = f"`{applied_families.dataset}`"
        job = applied_families.client.query(sql.format(dataset=dataset))
        return [dict(row.items()) for row in job.result()]

    return rows_of


def test_rows_of_files_become_versions(
    applied_families: Warehouse, query, tmp_path, capsys
) -> None:
    at = ["--dataset", str(applied_families.dataset)]
    first = (
        "student_id,name,school_id,phone\ns1,Ada,North,555\ns2,Bo,,\n" + "x" * 129 + ",Cy,East,\n"
    )
    assert main(["load", "students", write(tmp_path, "first.csv", first), *at]) == 0
    said = capsys.readouterr()
    assert "Left out: phone (--source_mapping names what is taken)" in said.out
    assert "2 rows of students loaded" in said.out
    assert "1 rows break the contract: see the table dead_letters" in said.err

    moved = [{"student_id": "s1", "school_id": "East", "grade": 9}, {"student_id": "s2"}]
    lines = "\n".join(map(json.dumps, moved))
    assert main(["load", "students", write(tmp_path, "moved.jsonl", lines), *at]) == 0

    versions = "SELECT student_id, school_id, grade, is_current FROM {dataset}.students_dim"
    found = {tuple(row.values()) for row in query(versions)}
    assert found == {
        ("s1", "North", None, False),
        ("s1", "East", "9", True),
        ("s2", None, None, False),
        ("s2", None, None, True),
    }
    private = "SELECT JSON_VALUE(private_row.name) AS name FROM {dataset}.dimension_changes_fact"
    assert sorted(row["name"] or "" for row in query(private)) == ["", "", "Ada", "Bo"]
    assert not query(
        "SELECT 1 FROM {dataset}.students_dim WHERE TO_JSON_STRING(attributes) LIKE '%Ada%'"
    )
    [letter] = query("SELECT source, error_field FROM {dataset}.dead_letters")
    assert letter == {"source": str(tmp_path / "first.csv"), "error_field": "key"}
    runs = (
        "SELECT job_name, status, records_processed, records_failed FROM {dataset}.etl_job_status"
    )
    assert sorted(tuple(row.values()) for row in query(runs)) == [
        ("dimension_load", "completed", 2, 0),
        ("dimension_load", "completed", 3, 1),
    ]


def test_ids_are_pseudonyms_under_a_key(applied_families, query, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(pseudonyms.VARIABLES["k1"], pseudonyms.KEYS["k1"])
    file = write(tmp_path, "students.csv", "student_id,school_id\ns1,North\n")
    place = ["--dataset", str(applied_families.dataset)]
    assert main(["load", "students", file, *place, pseudonyms.OPTIONS[0]]) == 0
    assert query("SELECT student_id, school_id FROM {dataset}.students_dim") == [
        {"student_id": pseudonyms.expected("s1", "k1"), "school_id": "North"}
    ]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.csv", "", "a.csv: there are no rows"),
        ("a.csv", "id,school_id\ns1,North\n", "a.csv:2: there is no column student_id"),
        ("a.csv", "student_id,school_id\ns1\n", "a.csv:2: there are 1 values under 2 column names"),
        ("a.jsonl", '{"student_id": "s1"}\n[1]\n', "a.jsonl:2: it is not a JSON object"),
        ("a.jsonl", "{", "a.jsonl:1: it is not a JSON object"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_line(tmp_path, name, text, line, capsys) -> None:
    path = write(tmp_path, name, text)
    assert main(["load", "students", path, "--dataset", "local-exams.nowhere"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said == f"error: {tmp_path}/{line}"


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["students", "a.txt"], 2, "FILE: must end in .csv or .jsonl"),
        (["pupils", "a.csv"], 2, "invalid choice: 'pupils'"),
        (["students", "missing.csv"], 1, "error: missing.csv: No such file or directory"),
        (["students", "a.csv", "--pseudonym_key=k1="], 2, "--pseudonym_key: a secret is"),
        (
            ["students", "a.csv", f"--pseudonym_key={_TWICE}"],
            2,
            "--pseudonym_key: k1 is given twice",
        ),
    ],
)
def test_wrong_arguments_are_one_line(words, code, line, capsys) -> None:
    try:
        ended = main(["load", *words, "--dataset", "local-exams.nowhere"])
    except SystemExit as exit_:
        ended = exit_.code
    assert ended == code
    (said,) = capsys.readouterr().err.splitlines()
    assert line in said
