"""What a payload says stays out of logs, messages and the output of commands."""

import json
import subprocess
import sys

import pytest

from local_runner.traffic.malformed import MALFORMED
from schemas.errors import ErrorKind
from tests.support.events import NOW, event

CANARY = "canary"
LONG_NAME = CANARY * 30
TOPIC = "--topic=projects/local-exams/topics/events"
IDS = {
    name: f"{CANARY}-{name}"
    for name in ("event_id", "test_id", "student_id", "session_id", "question_id", "answer")
}
CANARIES = event(**IDS, unknown={CANARY: CANARY}, error_payload={"code": CANARY})


@pytest.fixture
def jsonl(tmp_path):
    def write(*lines):
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write


@pytest.fixture
def payloads():
    """Events that are right and wrong in every way that the simulator knows, and in some more."""
    ways = [way(CANARIES) for ways in MALFORMED.values() for way in ways]
    others = [
        CANARIES,
        CANARIES | {"answer": f"{CANARY}-changed"},  # a conflict
        CANARIES | {"event_type": "store_error"},
        *(CANARIES | {name: [CANARY]} for name in CANARIES),
        *(CANARIES | {name: f"{CANARY}\ud800"} for name in IDS),
        CANARIES | {"client_ts": f"{NOW:%Y-%m-%dT%H:%M:%S}"},
        CANARIES | {LONG_NAME: [[]] * 3},
    ]
    return [way for way in ways if way] + [json.dumps(other).encode() for other in others]


def run(*command, names=()):
    """What a command prints: no value, and of the sender's field names those in ``names`` alone."""
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    shown = done.stdout + done.stderr
    for name in names:
        shown = shown.replace(name, "")
    assert CANARY not in shown
    return done.stdout + done.stderr


def test_no_value_of_a_payload_is_told(applied, payloads, jsonl):
    dataset = f"--dataset={applied.dataset}"
    said = run("pipeline.main", f"--input={jsonl(*payloads)}", dataset)
    for kind in set(ErrorKind) - {ErrorKind.REJECTED_BY_WAREHOUSE, ErrorKind.INTERNAL_ERROR}:
        assert f"dead_letter_{kind}: " in said
    assert "written: " in said
    assert f"published{len(payloads):>33,}" in run(
        "pipeline.reconcile", dataset, f"--expected={len(payloads)}"
    )
    assert "would be replayed" in run("pipeline.replay", dataset, TOPIC, "--dry_run")
    assert "ranges" in run("ddl", "check", dataset, names=[LONG_NAME[:128]])
    sql = f"SELECT error_message FROM `{applied.dataset}.dead_letters`"
    messages = [row["error_message"] for row in applied.client.query(sql).result()]
    assert len(messages) > len(MALFORMED)
    assert not any(CANARY in line for line in messages)
