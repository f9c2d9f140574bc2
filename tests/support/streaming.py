"""A stream that runs as its user runs it, and what it has written."""

import contextlib
import subprocess
import sys
import time

from tests.support.payloads import JUDGED, KINDS, kinds
from tests.support.waiting import PATIENCE_SECONDS

COUNT = """
    SELECT COUNT(DISTINCT message_id) AS n FROM (
        SELECT message_id FROM {dataset}.events_fact
        UNION ALL SELECT message_id FROM {dataset}.dead_letters)
"""


@contextlib.contextmanager
def streaming(names, dataset, log, *arguments):
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
                *arguments,
            ],
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(rows_of, count, process, log):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while rows_of(COUNT)[0]["n"] < count:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)


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
        pulled = subscriber.pull(
            subscription=subscription, max_messages=100, timeout=PATIENCE_SECONDS
        )
        messages += [received.message for received in pulled.received_messages]
    return messages
