"""The mode from Google's Pub/Sub emulator to bqemulator, as its user runs it."""

import signal
import socket
import sys
import uuid

from google.cloud.pubsub_v1 import SubscriberClient

from local_runner.environment import PubSubNames
from local_runner.traffic.publishing import pull
from pipeline.main import main
from tests.support.events import bodies, event
from tests.support.payloads import DEAD, FACTS
from tests.support.streaming import check_rows, dead_letters

PAYLOADS = bodies(*FACTS, *DEAD)


def sent(*payloads):
    return [(body, {"origin": "test"}) for body in bodies(*payloads)]


def test_messages_become_facts_and_dead_letters(machine, rows_of):
    machine.publish(sent(*PAYLOADS, PAYLOADS[0]))  # the same event again
    machine.start()
    machine.wait_for(len(PAYLOADS) + 1)
    assert machine.stop() == 0
    assert "Traceback" not in machine.log.read_text()

    check_rows(rows_of)
    with SubscriberClient() as subscriber:
        letters = dead_letters(subscriber, machine.pubsub.dead_letter_subscription, len(DEAD))
    assert sorted(m.data for m in letters) == sorted(PAYLOADS[len(FACTS) :])
    assert {m.attributes["origin"] for m in letters} == {"test"}


def test_it_tells_what_it_did(machine):
    machine.publish(sent(*PAYLOADS))
    machine.start()
    machine.wait_until(lambda: machine.metrics().get("exam_events_received_total") == len(PAYLOADS))
    values = machine.metrics()
    assert values["exam_events_written_total"] == len(FACTS)
    assert values["exam_events_dead_letters_total_not_json"] == 2
    assert values["exam_events_dead_letters_total_internal_error"] == 0
    assert values["exam_events_batch_seconds_count"] >= 1
    assert values["exam_events_publish_to_written_seconds_count"] >= 1
    assert values["exam_events_oldest_unacknowledged_seconds"] == 0
    assert machine.get("/healthz") == (200, "ok\n")
    assert machine.get("/elsewhere")[0] == 404
    assert machine.stop() == 0
    assert f"{len(PAYLOADS)} messages received, {len(FACTS)} facts written, {len(DEAD)} dead" in (
        machine.log.read_text()
    )


def test_what_is_acknowledged_does_not_come_back(machine):
    machine.publish(sent(*(event(f"e{n}") for n in range(300))))
    machine.start()
    machine.wait_for(300)
    assert machine.stop() == 0
    machine.publish(sent(event("last")))
    machine.start()
    machine.wait_for(301)
    assert machine.metrics()["exam_events_received_total"] == 1
    assert machine.stop() == 0


def test_what_waits_when_it_is_told_to_stop_comes_back_at_once(machine):
    machine.publish(sent(*(event(f"e{n}") for n in range(50))))
    machine.start("--micro_batch_max_seconds=600")
    machine.wait_until(
        lambda: machine.metrics().get("exam_events_oldest_unacknowledged_seconds", 0) > 0
    )
    assert machine.stop() == 0
    assert machine.counted().accounted == 0
    # Not acknowledged they would be away for the minute of their lease.
    assert len(pull(machine.pubsub.subscription, 50)) == 50


def test_an_outage_of_bigquery_is_told_and_a_second_signal_ends_it(machine):
    machine.publish(sent(*PAYLOADS))
    machine.start("--micro_batch_max_seconds=5")
    machine.wait_until(lambda: machine.metrics().get("exam_events_oldest_unacknowledged_seconds"))
    machine.warehouse.client.delete_table(machine.warehouse.dataset.table("events_fact"))
    machine.wait_until(lambda: "BigQuery is not available (NotFound)" in machine.log.read_text())
    machine.process.send_signal(signal.SIGTERM)
    machine.wait_until(lambda: "a second signal" in machine.log.read_text())
    assert machine.process.poll() is None
    machine.process.send_signal(signal.SIGTERM)
    assert machine.process.wait(timeout=30) == 1


def test_a_port_that_is_taken_is_one_line(machine):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        machine.start(f"--metrics_port={port}")
        assert machine.process.wait(timeout=60) == 1
    assert machine.log.read_text().splitlines()[-1] == (
        f"error: --metrics_port: {port}: Address already in use"
    )


def test_a_package_that_is_missing_is_one_line(applied, pubsub, monkeypatch, capsys):
    pubsub = PubSubNames.of(uuid.uuid4().hex)
    pubsub.create()
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "pipeline.micro_batch.loop", raising=False)
    monkeypatch.delitem(sys.modules, "pipeline.micro_batch.health", raising=False)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    code = main(
        [
            "--micro_batch",
            f"--input_subscription={pubsub.subscription}",
            f"--dead_letter_topic={pubsub.dead_letter_topic}",
            f"--dataset={applied.dataset}",
        ]
    )
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
        signal.signal(number, handler)
    assert code == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: --micro_batch needs the package prometheus_client: install the extra micro-batch"
    )
