"""What a person gets wrong ends every command with one line that says what to do."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

import ddl.__main__
import pipeline.erase.__main__
import pipeline.reconcile
import pipeline.replay.__main__
from pipeline.sinks.insert_rows import json_row
from schemas.errors import ErrorKind
from tests.transforms.builders import letter, message
from transforms.dead_letters import DeadLetterRow, to_pubsub, to_row

ROOT = Path(__file__).parents[2]
PUBSUB = "projects/local-exams"
TOPIC = f"{PUBSUB}/topics/misspelt"
SUBSCRIPTION = f"{PUBSUB}/subscriptions/misspelt"
FROM_SUBSCRIPTION = [f"--dead_letter_subscription={SUBSCRIPTION}", f"--topic={TOPIC}"]


@pytest.fixture
def students(tmp_path):
    path = tmp_path / "students"
    path.write_text("s1\n")
    return f"--students={path}"


@pytest.fixture
def ending(capsys):
    """Runs a command; gives its one line, and checks that it said nothing else."""

    def run(main, *arguments):
        assert main(list(arguments)) == 1
        out, error = capsys.readouterr()
        assert out == ""
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        return error.removeprefix("error: ").rstrip("\n")

    return run


def dead_letter():
    return letter(message(message_id="m1"), kind=ErrorKind.NOT_JSON)


def test_a_missing_dataset(warehouse, ending, students):
    option = f"--dataset={warehouse.dataset}"
    how = f"does not exist: run python -m ddl apply {option.replace('=', ' ')}"
    missing = f"dataset {warehouse.dataset} {how}"
    assert ending(pipeline.reconcile.main, option) == missing
    assert ending(ddl.__main__.main, "check", option) == missing
    assert ending(pipeline.replay.__main__.main, option, f"--topic={TOPIC}") == missing
    table = f"table {warehouse.dataset}.dead_letters {how}"
    assert ending(pipeline.erase.__main__.main, option, students) == table


def test_a_misspelt_subscription(pubsub_emulator, ending):
    line = ending(pipeline.replay.__main__.main, *FROM_SUBSCRIPTION)
    assert line == f"subscription {SUBSCRIPTION} does not exist: create it first"


def test_a_misspelt_topic_of_a_replay_from_the_table(pubsub_emulator, applied, ending):
    row = json_row(DeadLetterRow._fields, to_row(dead_letter()))
    assert not applied.client.insert_rows_json(applied.dataset.table("dead_letters"), [row])
    line = ending(pipeline.replay.__main__.main, f"--dataset={applied.dataset}", f"--topic={TOPIC}")
    assert line == f"topic {TOPIC} does not exist: create it first"


def test_a_misspelt_topic_of_a_replay_from_the_subscription(pubsub_emulator, ending, monkeypatch):
    monkeypatch.setattr("pipeline.replay.candidate_sources._PULL_SECONDS", 1.0)
    name = f"dead-{uuid.uuid4().hex}"
    topic, subscription = f"{PUBSUB}/topics/{name}", f"{PUBSUB}/subscriptions/{name}"
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(name=topic)
        subscriber.create_subscription(name=subscription, topic=topic)
        data, attributes = to_pubsub(dead_letter())
        publisher.publish(topic, data, **attributes).result()
    line = ending(
        pipeline.replay.__main__.main,
        f"--dead_letter_subscription={subscription}",
        f"--topic={TOPIC}",
    )
    assert line == f"topic {TOPIC} does not exist: create it first"


def test_a_bigquery_that_is_away(monkeypatch, ending):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setattr("gcp.queries.CALL", {"retry": None})
    line = ending(pipeline.reconcile.main, "--dataset=local-exams.none")
    assert line == "BigQuery does not answer at 127.0.0.1:1 (BIGQUERY_EMULATOR_HOST)"


@pytest.mark.parametrize(
    ("command", "service"),
    [
        ("reconcile", ""),
        ("ddl check", ""),
        ("ddl apply", ""),
        ("erase", ""),
        ("replay --topic=projects/p-roject/topics/t-1", ""),
        ("run --input=events.jsonl", "BigQuery: "),
    ],
)
def test_missing_credentials(command, service, tmp_path, students):
    (tmp_path / "events.jsonl").touch()
    emulators = {"BIGQUERY_EMULATOR_HOST", "BIGQUERY_STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"}
    unset = emulators | {"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path)}
    environment |= {"NO_GCE_CHECK": "true", "PYTHONPATH": str(ROOT)}
    more = [students] if command == "erase" else []
    done = subprocess.run(
        [sys.executable, "-m", "local_runner.cli", *command.split(), "--dataset=p-roject.d", *more],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {service}no credentials; run gcloud auth application-default login, or set "
        "BIGQUERY_EMULATOR_HOST and PUBSUB_EMULATOR_HOST\n"
    )


@pytest.mark.parametrize("command", ["--help", "run --help", "replay --help", "doctor"])
def test_a_reader_that_has_seen_enough(command):
    """As in ``exam-events run --help | head -1``, where head was quick."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "local_runner.cli", *command.split()],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (1, "")
