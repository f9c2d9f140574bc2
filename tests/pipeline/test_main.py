"""The command as its user runs it, on the emulators."""

import datetime as dt
import signal
import subprocess
import sys

import fastavro
import pytest
from google.cloud import bigquery

from tests.support.archives import ARCHIVE
from tests.support.commands import run
from tests.support.events import NOW, event
from tests.support.payloads import DEAD, FACTS, JUDGED, KINDS, PAGE_VIEW, kinds


@pytest.mark.parametrize("method", ["STORAGE_WRITE_API", "STREAMING_INSERTS"])
def test_a_file_becomes_facts_and_dead_letters(applied, jsonl, rows_of, method):
    path = jsonl(*FACTS, *DEAD)
    done = run(f"--input={path}", f"--dataset={applied.dataset}", f"--write_method={method}")
    assert done.returncode == 0, done.stderr
    assert [tuple(row.values()) for row in rows_of(JUDGED)] == [
        ("late", "LATE", True, 90.0, "payload", None, None),
        ("on-time", "ON_TIME", False, None, "payload", None, None),
        ("page-view", "NOT_APPLICABLE", None, None, None, None, None),
        (
            "unknown",
            "UNKNOWN",
            None,
            None,
            None,
            None,
            '{"brand_new":{"a":"12345678901234567890123","b":1}}',
        ),
        ("verdict", "LATE", True, None, "client", True, None),
    ]
    assert kinds(rows_of) == KINDS
    for name, value in {"received": 12, "written": 5, "dead_letters_written": 7}.items():
        assert f"{name}: {value}" in done.stderr
    assert "xxxx" not in done.stderr
    assert "db_store_failed" not in done.stderr


def test_a_second_run_writes_twice_and_is_read_once(applied, jsonl, rows_of):
    path = jsonl(*FACTS)
    for _ in range(2):
        assert run(f"--input={path}", f"--dataset={applied.dataset}").returncode == 0
    counts = "SELECT COUNT(*) AS n, COUNT(DISTINCT message_id) AS m FROM {dataset}.events_fact"
    assert rows_of(counts) == [{"n": 10, "m": 5}]
    assert rows_of("SELECT COUNT(*) AS n FROM {dataset}.events") == [{"n": 5}]


def test_an_empty_file_is_a_run_without_rows(applied, jsonl, rows_of):
    assert run(f"--input={jsonl()}", f"--dataset={applied.dataset}").returncode == 0
    assert rows_of("SELECT COUNT(*) AS n FROM {dataset}.events") == [{"n": 0}]


def test_the_publish_time_of_a_file_can_be_told(applied, jsonl, rows_of):
    path = jsonl(PAGE_VIEW)
    published = (NOW - dt.timedelta(hours=5)).isoformat()
    run(f"--input={path}", f"--dataset={applied.dataset}", f"--publish_time={published}")
    assert rows_of("SELECT publish_ts FROM {dataset}.events_fact") == [
        {"publish_ts": NOW - dt.timedelta(hours=5)}
    ]


def test_an_archive_keeps_ids_and_publish_times(applied, tmp_path, rows_of):
    published = NOW - dt.timedelta(days=3)
    records = [
        {
            "subscription_name": "s",
            "message_id": f"pubsub-{number}",
            "publish_time": published,
            "attributes": {"origin": "app"},
            "data": data,
        }
        for number, data in enumerate([b'{"broken', b"\x00\xff\n"])
    ]
    path = tmp_path / "archive.avro"
    with path.open("wb") as file:
        fastavro.writer(file, ARCHIVE, records)
    assert run(f"--input={path}", f"--dataset={applied.dataset}").returncode == 0
    assert rows_of(
        "SELECT message_id, publish_time, payload, TO_JSON_STRING(attributes) AS attributes "
        "FROM {dataset}.dead_letters ORDER BY message_id"
    ) == [
        {
            "message_id": f"pubsub-{number}",
            "publish_time": published,
            "payload": data,
            "attributes": '{"origin":"app"}',
        }
        for number, data in enumerate([b'{"broken', b"\x00\xff\n"])
    ]


def test_what_is_older_than_the_partitions_live_is_a_rule_violation(applied, jsonl, rows_of):
    table = applied.client.get_table(applied.dataset.table("events_fact"))
    table.time_partitioning.expiration_ms = 10 * 24 * 3600 * 1000
    applied.client.update_table(table, ["time_partitioning"])
    if not applied.client.get_table(table).time_partitioning.expiration_ms:
        pytest.skip("this emulator forgets the expiration of partitions")
    old = event("old", client_ts=(NOW - dt.timedelta(days=11)).isoformat())
    run(f"--input={jsonl(old, PAGE_VIEW)}", f"--dataset={applied.dataset}")
    assert kinds(rows_of) == {"rule_violation": 1}


def refused(code, *arguments):
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_what_a_person_gets_wrong_is_one_line(warehouse, jsonl, tmp_path, monkeypatch):
    path, dataset = jsonl(PAGE_VIEW), f"--dataset={warehouse.dataset}"
    assert "--dataset" in refused(2, f"--input={path}")
    assert "--inptu" in refused(2, f"--inptu={path}", dataset)
    assert "no file matches" in refused(1, f"--input={tmp_path}/none.jsonl", dataset)
    assert "ddl apply" in refused(1, f"--input={path}", dataset)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://localhost:1")
    assert "BIGQUERY_EMULATOR_HOST" in refused(1, f"--input={path}", dataset)


def test_half_an_emulator_is_one_line(applied, jsonl, monkeypatch):
    arguments = [f"--input={jsonl(PAGE_VIEW)}", f"--dataset={applied.dataset}"]
    monkeypatch.setenv("BIGQUERY_STORAGE_EMULATOR_HOST", "localhost:1")
    assert "BIGQUERY_STORAGE_EMULATOR_HOST=localhost:1" in refused(1, *arguments)
    monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST")
    assert "set BIGQUERY_STORAGE_EMULATOR_HOST" in refused(1, *arguments)
    assert run(*arguments, "--write_method=STREAMING_INSERTS").returncode == 0


def test_what_the_runner_will_not_take_is_one_line(applied, jsonl):
    path, dataset = jsonl(PAGE_VIEW), f"--dataset={applied.dataset}"
    assert "Nonsense" in refused(2, f"--input={path}", dataset, "--runner=Nonsense")


def test_an_event_id_as_long_as_the_message_stops_nothing(applied, jsonl, rows_of):
    huge = '{"event_id":"😀'.encode() + b"x" * 2_300_000 + b'"}'
    done = run(f"--input={jsonl(huge, PAGE_VIEW)}", f"--dataset={applied.dataset}")
    assert done.returncode == 0, done.stderr
    assert kinds(rows_of) == {"too_large": 1}
    sql = "SELECT LENGTH(event_id) AS n, payload_size FROM {dataset}.dead_letters"
    assert rows_of(sql) == [{"n": 1024, "payload_size": len(huge)}]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_file_is_no_success(applied, jsonl, number):
    path = jsonl(*[event(f"e{n}") for n in range(30_000)])
    command = [sys.executable, "-m", "pipeline.main", f"--input={path}"]
    with subprocess.Popen(
        [*command, f"--dataset={applied.dataset}"], stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if "reading" in line:
                break
        process.send_signal(number)
        output = process.stderr.read()
        assert process.wait() == 1
    assert "interrupted" in output
    assert "Traceback" not in output


def test_a_damaged_archive_is_one_line_and_no_success(applied, tmp_path):
    record = {
        "subscription_name": "s",
        "message_id": "1",
        "publish_time": NOW,
        "attributes": {},
        "data": b"{}",
    }
    path = tmp_path / "cut.avro"
    with path.open("wb") as file:
        fastavro.writer(file, ARCHIVE, [record] * 5_000)
    path.write_bytes(path.read_bytes()[:-100])
    done = run(f"--input={path}", f"--dataset={applied.dataset}")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"error: {path} is damaged")
    assert "Traceback" not in done.stderr


def test_a_table_of_an_older_version_is_refused_before_the_first_row(applied, jsonl):
    facts = applied.dataset.table("events_fact")
    applied.client.delete_table(facts)
    applied.client.create_table(bigquery.Table(facts, [bigquery.SchemaField("extra", "JSON")]))
    path, dataset = jsonl(PAGE_VIEW), f"--dataset={applied.dataset}"
    assert "lacks answer, attempt_no" in refused(1, f"--input={path}", dataset)
