"""The stream, from Google's Pub/Sub emulator to bqemulator, as its user runs it."""

import contextlib
import signal
import subprocess
import sys
import time
import uuid

import pytest
from google.cloud import pubsub_v1

from tests.pipeline.events import bodies
from tests.pipeline.test_main import DEAD, FACTS, JUDGED, KINDS, kinds

PROJECT = "local-exams"
COUNT = """
    SELECT COUNT(DISTINCT message_id) AS n FROM (
        SELECT message_id FROM {dataset}.events_fact
        UNION ALL SELECT message_id FROM {dataset}.dead_letters)
"""


@pytest.fixture
def topics(pubsub_emulator):
    """Role to (topic, subscription), for events and for dead letters, and the two clients."""
    suffix = uuid.uuid4().hex
    names = {
        role: (
            f"projects/{PROJECT}/topics/{role}-{suffix}",
            f"projects/{PROJECT}/subscriptions/{role}-{suffix}",
        )
        for role in ("events", "dead-letters")
    }
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        for topic, subscription in names.values():
            publisher.create_topic(name=topic)
            subscriber.create_subscription(name=subscription, topic=topic)
        yield names, publisher, subscriber
        publisher.stop()


@contextlib.contextmanager
def streaming(names, dataset, log):
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pipeline.main",
                f"--input_subscription={names['events'][1]}",
                f"--dead_letter_topic={names['dead-letters'][0]}",
                f"--dataset={dataset}",
                "--session_start_wait_seconds=1",
            ],
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(rows_of, count, process, log):
    deadline = time.monotonic() + 90
    while rows_of(COUNT)[0]["n"] < count:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)


def test_messages_stream_into_facts_and_dead_letters(topics, applied, rows_of, tmp_path):
    names, publisher, subscriber = topics
    topic = names["events"][0]
    payloads = bodies(*FACTS, *DEAD)
    futures = [publisher.publish(topic, payload, origin="test") for payload in payloads]
    futures.append(publisher.publish(topic, payloads[0], origin="test"))  # the same event again
    for future in futures:
        future.result()
    log = tmp_path / "pipeline.log"
    with streaming(names, applied.dataset, log) as process:
        wait_for(rows_of, len(futures), process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert "Traceback" not in log.read_text()

    check_rows(rows_of)

    letters = dead_letters(subscriber, names["dead-letters"][1], len(DEAD))
    assert sorted(m.data for m in letters) == sorted(payloads[len(FACTS) :])
    assert {m.attributes["origin"] for m in letters} == {"test"}
    assert {m.attributes["source"] for m in letters} == {names["events"][1]}


def check_rows(rows_of):
    """FACTS and DEAD are where they belong; the first of FACTS was sent twice."""
    statuses = [(row["event_id"], row["late_status"]) for row in rows_of(JUDGED)]
    assert statuses == [
        ("late", "LATE"),
        ("late", "LATE"),
        ("on-time", "ON_TIME"),
        ("page-view", "NOT_APPLICABLE"),
        ("unknown", "UNKNOWN"),
        ("verdict", "LATE"),
    ]
    assert rows_of("SELECT COUNT(*) AS n FROM {dataset}.events") == [{"n": 5}]
    assert kinds(rows_of) == KINDS


def dead_letters(subscriber, subscription, count):
    messages = []
    while len(messages) < count:
        pulled = subscriber.pull(subscription=subscription, max_messages=100, timeout=30)
        messages += [received.message for received in pulled.received_messages]
    return messages


def test_a_missing_subscription_is_one_line(topics, applied):
    names, _, _ = topics
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.main",
            f"--input_subscription=projects/{PROJECT}/subscriptions/nobody",
            f"--dead_letter_topic={names['dead-letters'][0]}",
            f"--dataset={applied.dataset}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: subscription projects/{PROJECT}/subscriptions/nobody does not exist: "
        "create it first"
    ]
