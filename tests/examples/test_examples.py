"""The examples as a newcomer runs them, through the pipeline between them."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from schemas.exam_event.event import ExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from transforms.decoding.decode import Decoder

EXAMPLES = Path(__file__).parents[2] / "examples"
ROOT = EXAMPLES.parent
EVENT = json.loads((EXAMPLES / "event.json").read_bytes())
DAY = EVENT["client_ts"][:10]


def run(*command, code=0):
    """A command in an environment without our packages."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/")
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def python(name, *arguments, code=0):
    return run(sys.executable, "-P", EXAMPLES / name, *arguments, code=code)


def curl(*arguments):
    return json.loads(run(EXAMPLES / "curl.sh", *arguments))


@pytest.fixture
def wires(pubsub_emulator):
    """A topic, its subscription, and a topic for dead letters."""
    name = f"examples-{uuid.uuid4().hex}"
    topic, subscription = (f"projects/local-exams/{k}/{name}" for k in ("topics", "subscriptions"))
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(name=topic)
        publisher.create_topic(name=f"{topic}-dead")
        subscriber.create_subscription(name=subscription, topic=topic)
    return topic, subscription


@pytest.fixture
def run_pipeline(applied, wires):
    @contextlib.contextmanager
    def run_pipeline():
        topic, subscription = wires
        command = [sys.executable, "-m", "pipeline.main", "--micro_batch"]
        command += [f"--input_subscription={subscription}", f"--dead_letter_topic={topic}-dead"]
        with subprocess.Popen([*command, f"--dataset={applied.dataset}"], cwd=ROOT) as process:
            yield process
            process.send_signal(signal.SIGTERM)

    return run_pipeline


def test_the_example_event_has_every_field_and_is_valid():
    assert list(EVENT) == list(ExamEvent.__struct_fields__)
    event, extra = Decoder(EXAM_EVENT).decode((EXAMPLES / "event.json").read_bytes())
    assert event.event_id == EVENT["event_id"]
    assert extra is None


def test_what_is_published_is_found(applied, wires, run_pipeline, rows_of, tmp_path):
    topic, _ = wires
    other = tmp_path / "event.json"
    other.write_text(json.dumps(EVENT | {"event_id": "by-curl"}))
    assert len(python("publish.py", topic, EXAMPLES / "event.json").split()) == 1
    expected = 1
    if shutil.which("curl"):
        assert len(curl("publish", topic, other)["messageIds"]) == 1
        expected = 2
    deadline = time.monotonic() + 90
    with run_pipeline() as process:
        while rows_of("SELECT COUNT(*) AS n FROM {dataset}.events_fact") != [{"n": expected}]:
            assert process.poll() is None
            assert time.monotonic() < deadline, "the events do not arrive"
            time.sleep(0.5)
    output = python("query.py", str(applied.dataset), EVENT["event_id"], DAY)
    found = dict(line.split(maxsplit=1) for line in output.splitlines())
    assert found["event_id"] == EVENT["event_id"]
    assert (found["late_status"], found["deadline_source"]) == ("ON_TIME", "payload")
    assert python("query.py", str(applied.dataset), EVENT["event_id"], "2026-01-01", code=1) == ""
    if shutil.which("curl"):
        reply = curl("query", str(applied.dataset), "by-curl", DAY)
        assert [row["f"][0]["v"] for row in reply["rows"]] == ["by-curl"]


def test_a_topic_that_does_not_exist_is_one_line(pubsub_emulator):
    topic = "projects/local-exams/topics/misspelt"
    error = python("publish.py", topic, EXAMPLES / "event.json", code=1)
    assert error == f"error: {topic}: 404 Topic not found\n"
