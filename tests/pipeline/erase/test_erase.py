"""Students are forgotten: in the tables of bqemulator and in Avro files."""

import datetime as dt
import json
import re
import subprocess
import sys

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from gcp import arguments
from pipeline.erase import __main__ as erase
from tests.pipeline.erase.students import BROKEN, OTHER, OTHERS, STUDENT
from tests.support.archives import ARCHIVE, read_archive, write_archive
from tests.support.events import event


def command(module, *options, given=None):
    return subprocess.run(
        [sys.executable, "-m", module, *options],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def written(applied, jsonl):
    """Writes payloads to the tables as the pipeline does."""

    def write(*payloads, name="events.jsonl"):
        options = [f"--input={jsonl(*payloads, name=name)}", f"--dataset={applied.dataset}"]
        done = command("pipeline.main", *options)
        assert done.returncode == 0, done.stderr

    return write


@pytest.fixture
def filled(written):
    """Facts and dead letters of two students; their number."""
    facts = [event("mine", student_id=STUDENT), event("theirs", student_id=OTHER)]
    store_error = event("failed", event_type="store_error", student_id=STUDENT)
    dead = [json.dumps(store_error).encode(), *(p for p in BROKEN + OTHERS if b"\n" not in p)]
    written(*facts, *dead)
    return len(facts) + len(dead)


@pytest.fixture
def students(tmp_path):
    path = tmp_path / "students"
    path.write_text(f"{STUDENT}\n")
    return f"--students={path}"


MESSAGES = """
    SELECT COUNT(*) AS n FROM (
        SELECT message_id FROM {dataset}.events_fact
        UNION ALL SELECT message_id FROM {dataset}.dead_letters)
"""


def test_rows_go_and_those_of_others_stay(applied, filled, students, rows_of, capsys):
    arguments = [f"--dataset={applied.dataset}", students]
    assert erase.main([*arguments, "--dry_run"]) == 0
    output = capsys.readouterr().out
    assert "events_fact: 1 rows would be deleted\n" in output
    assert f"dead_letters: {len(BROKEN) + 1} rows would be deleted\n" in output
    assert rows_of(MESSAGES)[0]["n"] == filled
    assert erase.main(arguments) == 0
    output = capsys.readouterr()
    assert f"dead_letters: {len(BROKEN) + 1} rows deleted\n" in output.out
    assert not any(part in output.out + output.err for part in ("anna", "müller"))
    assert rows_of("SELECT event_id FROM {dataset}.events_fact") == [{"event_id": "theirs"}]
    assert rows_of("SELECT COUNT(*) AS n FROM {dataset}.dead_letters") == [{"n": len(OTHERS)}]
    assert erase.main(arguments) == 0
    output = capsys.readouterr().out
    assert "events_fact: 0 rows deleted\n" in output
    assert "dead_letters: 0 rows deleted\n" in output


def test_dead_letters_that_share_a_message_id_are_kept_apart(applied, written, students, rows_of):
    written(b"{broken", event("mine", student_id=STUDENT, attempt_no=0), name="one.jsonl")
    written(b"{broken", event("bob's", student_id=OTHER, attempt_no=0), name="two.jsonl")
    rows_of("UPDATE {dataset}.dead_letters SET message_id = '1' WHERE TRUE")
    rows_of(
        f"UPDATE {{dataset}}.dead_letters SET student_id = '{STUDENT}' "
        "WHERE payload = b'{{broken' AND source LIKE '%one.jsonl'"
    )
    assert erase.main([f"--dataset={applied.dataset}", students]) == 0
    left = rows_of("SELECT source, event_id FROM {dataset}.dead_letters ORDER BY event_id")
    assert [(row["source"][-9:], row["event_id"]) for row in left] == [
        ("two.jsonl", None),
        ("two.jsonl", "bob's"),
    ]


def test_a_cut_dead_letter_of_nobody_known_is_reported_until_it_is_assigned(
    applied, written, students, rows_of, capsys
):
    rest = b"x" * 1024 * 1024
    written(b'{"answer": "' + rest, b'{"student_id": "%b", "x": "%b' % (STUDENT.encode(), rest))
    options = [f"--dataset={applied.dataset}", students]
    assert erase.main([*options, "--dry_run"]) == 0
    assert "\n1 dead letters are cut" in capsys.readouterr().out
    assert erase.main(options) == 1
    output = capsys.readouterr()
    assert "dead_letters: 1 rows deleted\n" in output.out
    assert output.err.startswith(
        "error: 1 dead letters are cut and cannot be assigned to a person: find their messages in "
        "the archive and set student_id ("
    )
    assert output.err.count("\n") == 1
    [query] = re.findall(r"\((SELECT .*)\)", output.err)
    assert len(rows_of(query)) == 1
    rows_of(
        f"UPDATE {{dataset}}.dead_letters SET student_id = '{OTHER}' "
        "WHERE payload_truncated AND student_id IS NULL"
    )
    assert erase.main(options) == 0
    assert len(rows_of("SELECT message_id FROM {dataset}.dead_letters")) == 1


@pytest.mark.parametrize("minutes", [30, None])
def test_rows_in_the_streaming_buffer_stay_until_a_later_run(
    applied, written, rows_of, students, capsys, buffered, minutes
):
    written(event("old", student_id=STUDENT), event("new", student_id=STUDENT), BROKEN[0])
    rows_of(
        "UPDATE {dataset}.events_fact SET ingest_ts = TIMESTAMP_SUB(ingest_ts, INTERVAL 2 HOUR) "
        "WHERE event_id = 'old'"
    )
    [newest] = rows_of("SELECT MAX(failed_at) AS at FROM {dataset}.dead_letters")
    buffered(minutes and dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes))
    assert erase.main([f"--dataset={applied.dataset}", students, "--dry_run"]) == 0
    capsys.readouterr()
    assert erase.main([f"--dataset={applied.dataset}", students]) == 1
    output = capsys.readouterr()
    assert "events_fact: 1 rows deleted, 1 still in BigQuery's streaming buffer\n" in output.out
    assert "dead_letters: 0 rows deleted, 1 still in BigQuery's streaming buffer\n" in output.out
    again = newest["at"] + dt.timedelta(minutes=90)
    assert output.err == (
        "error: 2 rows are still in BigQuery's streaming buffer, where they cannot be deleted: run "
        f"it again after {again:%Y-%m-%d %H:%M} UTC\n"
    )
    assert rows_of("SELECT event_id FROM {dataset}.events_fact") == [{"event_id": "new"}]


def test_a_delete_that_the_streaming_buffer_refuses_is_one_line(
    applied, written, rows_of, students, capsys, monkeypatch
):
    """A fake refusal, since bqemulator refuses none; the text is BigQuery's."""
    query = bigquery.Client.query

    def refuse(client, sql, **options):
        if sql.startswith("DELETE") and "events_fact" in sql:
            raise BadRequest(
                "UPDATE or DELETE statement over table p.d.events_fact would affect rows in the "
                "streaming buffer, which is not supported"
            )
        return query(client, sql, **options)

    written(event("mine", student_id=STUDENT), BROKEN[0])
    monkeypatch.setattr(bigquery.Client, "query", refuse)
    assert erase.main([f"--dataset={applied.dataset}", students]) == 1
    output = capsys.readouterr()
    assert "events_fact: 0 rows deleted, 1 still in BigQuery's streaming buffer\n" in output.out
    assert "dead_letters: 1 rows deleted\n" in output.out
    assert output.err.startswith("error: 1 rows are still in BigQuery's streaming buffer")
    assert output.err.count("\n") == 1
    assert len(rows_of("SELECT event_id FROM {dataset}.events_fact")) == 1


def test_any_other_table_with_a_student_id_is_cleared_too(applied, students, rows_of):
    applied.client.query(
        f"CREATE TABLE `{applied.dataset}.students` AS "
        f"SELECT '{STUDENT}' AS student_id UNION ALL SELECT '{OTHER}'"
    ).result()
    assert erase.main([f"--dataset={applied.dataset}", students]) == 0
    assert rows_of("SELECT student_id FROM {dataset}.students") == [{"student_id": OTHER}]


def test_ids_with_blanks_around_them_are_found(applied, written, tmp_path, rows_of):
    written(*(event(f"of {name}", student_id=name) for name in (" anna ", "anna", "anna ", "a b")))
    (tmp_path / "students").write_text(" anna \n")
    options = [f"--dataset={applied.dataset}", f"--students={tmp_path}/students"]
    assert erase.main(options) == 0
    left = rows_of("SELECT event_id FROM {dataset}.events_fact ORDER BY event_id")
    assert [row["event_id"] for row in left] == ["of a b", "of anna "]


def test_archive_files_are_rewritten_one_by_one(applied, students, tmp_path, capsys):
    folder = tmp_path / "archive"
    folder.mkdir()
    mixed = write_archive(folder / "mixed.avro", [*BROKEN, *OTHERS])
    write_archive(folder / "mine.avro", BROKEN)
    write_archive(folder / "others.avro", OTHERS)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    arguments = [f"--dataset={applied.dataset}", students, f"--archive={folder}/*.avro"]
    assert erase.main([*arguments, "--dry_run"]) == 0
    assert f"2 of 3 files would be rewritten, without {2 * len(BROKEN)}" in capsys.readouterr().out
    assert read_archive(folder / "mixed.avro")[0] == mixed
    assert erase.main(arguments) == 0
    records, codec, schema = read_archive(folder / "mixed.avro")
    assert records == mixed[len(BROKEN) :]
    assert codec == "deflate"
    assert {field["name"] for field in schema["fields"]} == {f["name"] for f in ARCHIVE["fields"]}
    after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert after == {name: age for name, age in before.items() if name != "mine.avro"}
    assert erase.main(arguments) == 0
    assert "0 of 2 files rewritten" in capsys.readouterr().out.splitlines()[-1]


def test_replayed_messages_of_others_stay_in_the_archive(applied, tmp_path):
    replayed = {"replay_of": "77", "replay_count": "1"}
    bobs = json.dumps(event(student_id="bob")).encode()
    written = write_archive(tmp_path / "a.avro", [bobs, b"{broken"], replayed)
    (tmp_path / "students").write_text("1\n")
    options = [f"--dataset={applied.dataset}", f"--students={tmp_path}/students"]
    assert erase.main([*options, f"--archive={tmp_path}/*.avro"]) == 0
    assert read_archive(tmp_path / "a.avro")[0] == written


def test_what_a_person_gets_wrong_is_one_line(warehouse, tmp_path):
    (tmp_path / "empty").write_text("\n \n")
    for text in (f"{tmp_path}/none", f"{tmp_path}/empty"):
        done = command("pipeline.erase", f"--dataset={warehouse.dataset}", f"--students={text}")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    options = [f"--dataset={warehouse.dataset}", "--students=-"]
    done = command("pipeline.erase", *options, given="anna\n")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr


def test_ids_are_read_whatever_wrote_the_file(tmp_path):
    path = tmp_path / "students"
    path.write_bytes("\ufeffanna\r\n jörg \n\n \r\n".encode())
    assert arguments.ids(str(path)) == {"anna", "jörg", " jörg "}
