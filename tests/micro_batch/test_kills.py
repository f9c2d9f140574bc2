"""Killed at any instant, or with BigQuery away: nothing is lost, and nothing counts twice."""

import dataclasses
import random
import time

import pytest

from tests.micro_batch.traffic import assert_events, assert_exact, mixed, sent
from tests.outages.doors import TcpDoor

EVENTS = """
    SELECT event_id, event_type, test_id, student_id, session_id, question_id, answer
    FROM {dataset}.events
"""
soak = pytest.mark.soak


@dataclasses.dataclass(frozen=True)
class BigQuery:
    """The doors before the REST API and the Storage Write API."""

    doors: tuple[TcpDoor, TcpDoor]

    def go_away(self) -> None:
        for door in self.doors:
            door.shut()

    def come_back(self) -> None:
        for door in self.doors:
            door.open()


@pytest.fixture
def bigquery(bigquery_emulator, machine):
    """What the machine knows as BigQuery; the test has its own way in."""
    rest, grpc = (
        int(address.rpartition(":")[2])
        for address in (bigquery_emulator.url, bigquery_emulator.grpc_host)
    )
    with TcpDoor(rest) as to_rest, TcpDoor(grpc) as to_grpc:
        machine.environment["BIGQUERY_EMULATOR_HOST"] = f"http://{to_rest.host}"
        machine.environment["BIGQUERY_STORAGE_EMULATOR_HOST"] = to_grpc.host
        yield BigQuery((to_rest, to_grpc))


def assert_all_there(machine, rows_of, messages):
    machine.wait_for(len(messages))
    assert machine.stop() == 0
    assert_exact(machine.counted(), messages)
    assert_events(rows_of(EVENTS), messages)


def kill_after_a_while(machine, rng):
    """Two seconds pass before the first batch, so that some kills come before it."""
    time.sleep(rng.uniform(1, 6))
    assert machine.process.poll() is None, machine.log.read_text()
    machine.kill()
    machine.start()


@pytest.mark.parametrize(
    ("size", "kills", "batch"), [(3_000, 3, 100), pytest.param(50_000, 20, 1_000, marks=soak)]
)
def test_sigkill_loses_nothing(machine, rows_of, size, kills, batch):
    messages = mixed(size, seed=size)
    machine.arguments = [f"--micro_batch_max_messages={batch}"]
    rng = random.Random(size)
    part = size // kills
    machine.start()
    for first in range(0, size, part):
        machine.publish(sent(messages[first : first + part]))
        kill_after_a_while(machine, rng)
    assert_all_there(machine, rows_of, messages)


@pytest.mark.parametrize(("size", "seconds"), [(1_000, 3), pytest.param(50_000, 30, marks=soak)])
def test_bigquery_away_makes_no_dead_letters_and_loses_nothing(
    bigquery, machine, rows_of, size, seconds
):
    messages = mixed(size, seed=size)
    machine.publish(sent(messages[: size // 2]))
    machine.start("--micro_batch_max_messages=500")
    machine.wait_until(lambda: machine.metrics().get("exam_events_received_total", 0) > 0)
    machine.publish(sent(messages[size // 2 :]))
    bigquery.go_away()
    machine.wait_until(lambda: "BigQuery is not available" in machine.log.read_text())
    time.sleep(seconds)
    bigquery.come_back()
    assert_all_there(machine, rows_of, messages)


@soak
def test_pubsub_away_is_on_the_health_page_and_stops_nothing_for_good(pubsub, machine, rows_of):
    messages = mixed(1_000, seed=3)
    with TcpDoor(int(pubsub.rpartition(":")[2])) as door:
        machine.environment["PUBSUB_EMULATOR_HOST"] = door.host
        machine.publish(sent(messages[:500]))
        machine.start("--micro_batch_max_messages=100")
        machine.wait_until(lambda: machine.metrics().get("exam_events_received_total") == 500)
        machine.wait_until(lambda: machine.get("/healthz") == (200, "ok\n"))
        door.shut()
        machine.publish(sent(messages[500:]))
        deadline = time.monotonic() + 60
        machine.wait_until(lambda: machine.get("/healthz")[0] == 503 or time.monotonic() > deadline)
        assert "Pub/Sub has not answered for" in machine.get("/healthz")[1]
        door.open()
        machine.wait_until(lambda: machine.get("/healthz") == (200, "ok\n"))
        assert_all_there(machine, rows_of, messages)


@soak
def test_all_at_once(bigquery, machine, rows_of):
    """A SIGKILL and an outage of BigQuery in the middle of 50,000 messages of every kind."""
    messages = mixed(50_000, seed=7)
    machine.publish(sent(messages))
    machine.start("--micro_batch_max_messages=2000")
    machine.wait_for(10_000)
    machine.kill()
    machine.start("--micro_batch_max_messages=2000")
    machine.wait_for(20_000)
    bigquery.go_away()
    machine.wait_until(lambda: "BigQuery is not available" in machine.log.read_text())
    time.sleep(30)
    bigquery.come_back()
    assert_all_there(machine, rows_of, messages)
