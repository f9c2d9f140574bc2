"""Students are forgotten: in tables of bqemulator, in Avro files, and in every spelling."""

import datetime as dt
import itertools
import json
import subprocess
import sys

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcp import arguments
from pipeline.erase import __main__ as erase
from pipeline.erase.students import Students
from tests.pipeline.events import NOW, event
from tests.pipeline.test_main import run
from tests.pipeline.test_sources import ARCHIVE

STUDENT = "anna-müller/7"
OTHER = "anna-müller/77"
BROKEN = [
    json.dumps(event(student_id=STUDENT)).encode()[:-5],  # cut off, in escapes
    json.dumps(event(student_id=STUDENT), ensure_ascii=False).encode()[:-5],
    json.dumps(event(student_id=STUDENT), ensure_ascii=False).replace("/", "\\/").encode() + b"}",
    json.dumps(event(student_id=STUDENT), ensure_ascii=False).encode("utf-16"),
    b"\xff\xfe garbage anna-m\xc3\xbcller/7\x00",
    json.dumps({"note": f"signed\nby {STUDENT}"}).encode(),
    json.dumps(event(student_id=[STUDENT])).encode(),
]
OTHERS = [
    json.dumps(event(student_id=OTHER)).encode()[:-5],
    json.dumps(event(student_id="x" + STUDENT)).encode()[:-5],
    json.dumps(event(student_id="bob", answer=f"I copied from {STUDENT}", attempt_no=0)).encode(),
    b"{broken",
    b"",
]


@pytest.mark.parametrize(
    "payload", [json.dumps(event(student_id=STUDENT)).encode(), *BROKEN], ids=itertools.count()
)
def test_a_students_message_is_known_whatever_it_looks_like(payload):
    assert Students([STUDENT]).own(payload)
    assert Students(["bob", STUDENT]).own(payload)


@pytest.mark.parametrize(
    "payload", [json.dumps(event(student_id=OTHER)).encode(), *OTHERS], ids=itertools.count()
)
def test_the_messages_of_others_are_not(payload):
    assert not Students([STUDENT]).own(payload)


def test_an_attribute_can_tell_too():
    assert Students([STUDENT]).own(b"", {"student": STUDENT})
    assert not Students([STUDENT]).own(b"", {"student": OTHER})


@given(student=st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable()))
def test_any_id_is_found_however_json_spells_it(student):
    for ascii_only in (True, False):
        payload = json.dumps({"student_id": student}, ensure_ascii=ascii_only).encode()
        assert Students([student]).own(payload)
        assert Students([student]).own(payload[:-1])
    everything = "".join(
        f"\\u{unit}" for unit in student.encode("utf-16-be").hex(" ", 2).upper().split()
    )
    assert Students([student]).own(b'{"student_id": "%b"' % everything.encode())


@pytest.fixture
def filled(applied, jsonl, rows_of):
    """Facts and dead letters of two students, written so long ago that they can be deleted."""
    facts = [event("mine", student_id=STUDENT), event("theirs", student_id=OTHER)]
    store_error = event("failed", event_type="store_error", student_id=STUDENT)
    dead = [json.dumps(store_error).encode(), *(p for p in BROKEN + OTHERS if b"\n" not in p)]
    done = run(f"--input={jsonl(*facts, *dead)}", f"--dataset={applied.dataset}")
    assert done.returncode == 0, done.stderr
    for table, column in (("events_fact", "ingest_ts"), ("dead_letters", "failed_at")):
        rows_of(
            f"UPDATE {{dataset}}.{table} SET {column} = TIMESTAMP_SUB({column}, INTERVAL 2 HOUR) "
            "WHERE TRUE"
        )
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
    told = capsys.readouterr().out
    assert "events_fact: 1 rows would be deleted\n" in told
    assert f"dead_letters: {len(BROKEN) + 1} rows would be deleted\n" in told
    assert rows_of(MESSAGES)[0]["n"] == filled
    assert erase.main(arguments) == 0
    told = capsys.readouterr()
    assert f"dead_letters: {len(BROKEN) + 1} rows deleted\n" in told.out
    assert not any(part in told.out + told.err for part in ("anna", "müller"))
    assert rows_of("SELECT event_id FROM {dataset}.events_fact") == [{"event_id": "theirs"}]
    assert rows_of("SELECT COUNT(*) AS n FROM {dataset}.dead_letters") == [{"n": len(OTHERS)}]
    assert erase.main(arguments) == 0
    told = capsys.readouterr().out
    assert "events_fact: 0 rows deleted\n" in told
    assert "dead_letters: 0 rows deleted\n" in told


def test_rows_in_the_streaming_buffer_are_told_and_stay(applied, jsonl, rows_of, students, capsys):
    path = jsonl(event("mine", student_id=STUDENT), BROKEN[0])
    assert run(f"--input={path}", f"--dataset={applied.dataset}").returncode == 0
    assert erase.main([f"--dataset={applied.dataset}", students, "--dry_run"]) == 0
    capsys.readouterr()
    assert erase.main([f"--dataset={applied.dataset}", students]) == 1
    told = capsys.readouterr()
    assert "events_fact: 0 rows deleted, 1 still in the streaming buffer" in told.out
    assert told.err == "error: 2 rows are left: run it again later\n"
    assert rows_of(MESSAGES) == [{"n": 2}]


def test_any_other_table_with_a_student_id_is_cleared_too(applied, students, rows_of):
    applied.client.query(
        f"CREATE TABLE `{applied.dataset}.students` AS "
        f"SELECT '{STUDENT}' AS student_id UNION ALL SELECT '{OTHER}'"
    ).result()
    assert erase.main([f"--dataset={applied.dataset}", students]) == 0
    assert rows_of("SELECT student_id FROM {dataset}.students") == [{"student_id": OTHER}]


def write_archive(path, payloads):
    records = [
        {
            "subscription_name": "s",
            "message_id": f"{number}",
            "publish_time": NOW - dt.timedelta(days=1),
            "attributes": {},
            "data": payload,
        }
        for number, payload in enumerate(payloads)
    ]
    with path.open("wb") as file:
        fastavro.writer(file, ARCHIVE, records, codec="deflate")
    return records


def read_archive(path):
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        return list(reader), reader.codec, reader.writer_schema


def test_archive_files_are_rewritten_one_by_one(applied, students, tmp_path, capsys):
    folder = tmp_path / "archive"
    folder.mkdir()
    mixed = write_archive(folder / "mixed.avro", [*BROKEN, *OTHERS])
    write_archive(folder / "mine.avro", BROKEN)
    write_archive(folder / "others.avro", OTHERS)
    before = (folder / "others.avro").stat().st_mtime_ns
    arguments = [f"--dataset={applied.dataset}", students, f"--archive={folder}/*.avro"]
    assert erase.main([*arguments, "--dry_run"]) == 0
    assert f"2 of 3 files would be rewritten, without {2 * len(BROKEN)}" in capsys.readouterr().out
    assert read_archive(folder / "mixed.avro")[0] == mixed
    assert erase.main(arguments) == 0
    records, codec, schema = read_archive(folder / "mixed.avro")
    assert records == mixed[len(BROKEN) :]
    assert codec == "deflate"
    assert {field["name"] for field in schema["fields"]} == {f["name"] for f in ARCHIVE["fields"]}
    assert sorted(path.name for path in folder.iterdir()) == ["mixed.avro", "others.avro"]
    assert (folder / "others.avro").stat().st_mtime_ns == before
    assert erase.main(arguments) == 0
    assert "0 of 2 files rewritten" in capsys.readouterr().out.splitlines()[-1]


def test_what_a_person_gets_wrong_is_one_line(warehouse, tmp_path):
    (tmp_path / "empty").write_text("\n")
    for text in (f"{tmp_path}/none", f"{tmp_path}/empty"):
        done = command(f"--dataset={warehouse.dataset}", f"--students={text}")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    done = command(f"--dataset={warehouse.dataset}", "--students=-", given="anna\n")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr


def test_ids_are_known_whatever_wrote_the_file(tmp_path):
    path = tmp_path / "students"
    path.write_bytes("\ufeffanna\r\n jörg \n\n".encode())
    assert arguments.ids(str(path)) == {"anna", "jörg"}


def command(*arguments, given=None):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.erase", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
