"""python -m pipeline.capture, as its user runs it: killed, cut off, and stopped."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest

from pipeline.capture.__main__ import main
from tests.pipeline.capture.capturing import Topic
from tests.scenarios.outages.doors import TcpDoor
from tests.support.waiting import PATIENCE_SECONDS

soak = pytest.mark.soak
READY = "made slot"


class Command:
    """The command, with its log."""

    def __init__(self, topic, slot, log):
        self.topic, self.slot, self.log = topic, slot, log
        self.environment = dict(os.environ)
        self.process = None

    def start(self, *arguments):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "pipeline.capture", f"--topic={self.topic}"]
        command += [f"--slot={self.slot}", f"--publication={self.slot}", "--poll_seconds=0.2"]
        command += [f"--metrics_port={self.port}", *arguments]
        with self.log.open("a") as output:
            self.process = subprocess.Popen(command, stderr=output, env=self.environment)

    def wait_for_log(self, text):
        self.wait_until(lambda: text in self.log.read_text())

    def wait_until(self, done, seconds=PATIENCE_SECONDS):
        deadline = time.monotonic() + seconds
        while not done():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def published(self):
        """Messages that Pub/Sub has."""
        shown = re.search(r"capture_published_total (\d\S*)", self.get("/metrics")[1])
        return float(shown[1])

    def peak_mib(self):
        """The most memory it had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@pytest.fixture
def command(school, topic, slot, tmp_path):
    command = Command(topic.name, slot, tmp_path / "capture.log")
    yield command
    if command.process is not None and command.process.poll() is None:
        command.kill()


class Written:
    """Answers that a test writes, each in its own transaction or many in one."""

    def __init__(self, school):
        self._school, self.size = school, 0

    def more(self, count, per_transaction):
        with psycopg.connect(self._school.url) as connection:
            for _ in range(0, count, per_transaction):
                connection.execute(
                    "INSERT INTO answers SELECT i, 's1', 'q1', 'test-1', 'session-1', 'B', "
                    "timestamptz '2026-03-02 10:05Z' + i * interval '1 ms' "
                    "FROM generate_series(%s::int, %s::int) AS i",
                    (self.size + 1, self.size + per_transaction),
                )
                connection.commit()
                self.size += per_transaction


def ids_of(topic: Topic, count: int, command: Command):
    """The ids of all events, which may come more than once, until there are so many."""
    found = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count}: {command.log.read_text()}"
        found |= {event["event_id"] for event in topic.pull(5.0)}
    return found


@pytest.mark.parametrize(
    ("size", "kills", "per_transaction"), [(300, 3, 5), pytest.param(50_000, 10, 50, marks=soak)]
)
def test_sigkill_loses_nothing(school, command, topic, size, kills, per_transaction):
    rng = random.Random(size)
    written = Written(school)
    command.start()
    command.wait_for_log(READY)
    for _ in range(kills):
        written.more(size // kills, per_transaction)
        time.sleep(rng.uniform(0, 1 if size < 1_000 else 4))
        command.kill()
        command.start()
    written.more(size - written.size, per_transaction)
    assert len(ids_of(topic, size, command)) == size
    command.wait_until(lambda: "capturing" in command.log.read_text().rpartition("stopped")[2])
    assert command.stop() == 0


@soak
def test_memory_does_not_grow_with_a_transaction(school, command, topic):
    """One of a million rows takes about as much as one of 20,000."""
    written = Written(school)
    command.start()
    command.wait_for_log(READY)
    peaks = []
    for size in (20_000, 1_000_000):
        written.more(size, size)
        command.wait_until(lambda: command.published() >= written.size, 1_800)
        peaks.append(command.peak_mib())
    assert peaks[1] < peaks[0] + 50, peaks
    assert command.stop() == 0


@pytest.mark.parametrize(("size", "seconds"), [(100, 3), pytest.param(20_000, 30, marks=soak)])
def test_pubsub_away_loses_nothing(school, command, topic, pubsub_emulator, size, seconds):
    written = Written(school)
    with TcpDoor(int(pubsub_emulator.host.rpartition(":")[2])) as door:
        command.environment["PUBSUB_EMULATOR_HOST"] = door.host
        command.start()
        command.wait_for_log(READY)
        written.more(size, 5)
        door.shut()
        written.more(size, 5)
        command.wait_for_log("Pub/Sub does not answer")
        time.sleep(seconds)
        door.open()
        assert len(ids_of(topic, 2 * size, command)) == 2 * size
        assert command.stop() == 0


def test_postgresql_away_at_the_start_and_later(school, command, topic, monkeypatch):
    user, _, place = school.url.partition("@")
    port, _, database = place.partition("/")
    written = Written(school)
    with TcpDoor(int(port.rpartition(":")[2])) as door:
        command.environment["DATABASE_URL"] = f"{user}@{door.host}/{database}"
        door.shut()
        command.start()
        command.wait_for_log("does not answer: waiting, and the slot keeps")
        door.open()
        command.wait_for_log(READY)
        written.more(10, 5)
        assert len(ids_of(topic, 10, command)) == 10
        door.shut()
        written.more(10, 5)
        door.open()
        assert len(ids_of(topic, 10, command)) == 10
        assert command.stop() == 0


def test_metrics_and_health(school, command, topic):
    command.start("--max_slot_lag_bytes=1")
    command.wait_for_log(READY)
    Written(school).more(10, 5)
    ids_of(topic, 10, command)
    command.wait_until(lambda: command.get("/healthz")[0] == 503)
    assert "more than --max_slot_lag_bytes 1\n" in command.get("/healthz")[1]
    shown = command.get("/metrics")[1]
    assert 'exam_events_capture_changes_total{kind="upsert",table="answers"} 10.0' in shown
    assert "exam_events_capture_published_total 10.0" in shown
    assert command.stop() == 0


def test_a_signal_while_pubsub_is_away_ends_it(school, command, pubsub_emulator):
    with TcpDoor(int(pubsub_emulator.host.rpartition(":")[2])) as door:
        command.environment["PUBSUB_EMULATOR_HOST"] = door.host
        command.start()
        command.wait_for_log(READY)
        door.shut()
        Written(school).more(5, 5)
        command.wait_for_log("Pub/Sub does not answer")
        assert command.stop() == 0


def test_a_dropped_slot_ends_it_with_one_line(school, command):
    command.start()
    command.wait_for_log(READY)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            school.execute(f"SELECT pg_drop_replication_slot('{command.slot}')")
            break
        except psycopg.errors.ObjectInUse:
            time.sleep(0.05)
    assert command.process.wait(timeout=60) == 1
    [line] = [line for line in command.log.read_text().splitlines() if "error" in line]
    assert line.startswith(f"error: replication slot {command.slot} does not exist")


WRONG = {
    "no topic": (["--poll_seconds=1"], "error: the following arguments are required: --topic"),
    "a topic": (["--topic=x"], "error: --topic: must be projects/PROJECT/topics/NAME"),
    "a slot": (["--topic=projects/a/topics/abc", "--slot=A-b"], "error: --slot: must be 1 to 63"),
    "a family": (
        ["--topic=projects/a/topics/abc", "--event_family=exam_event,orders"],
        "error: --event_family: a capture has no orders, only exam_event",
    ),
    "a mapping": (
        ["--topic=projects/a/topics/abc", "--source_mapping=no.toml"],
        "error: --source_mapping: no.toml: No such file",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_one_line(name, capsys):
    arguments, expected = WRONG[name]
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said.startswith(expected)
    assert said.count("\n") == 1


def test_a_topic_that_does_not_exist(school, command):
    command.topic = "projects/local-exams/topics/missing"
    command.start()
    assert command.process.wait(timeout=120) == 1
    missing = "error: topic projects/local-exams/topics/missing does not exist: create it first"
    assert command.log.read_text().splitlines()[-1] == missing
