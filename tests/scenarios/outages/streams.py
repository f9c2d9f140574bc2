"""A stream under test: the pipeline as its user runs it, what was sent, and the outcome."""

import collections
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Self

from google.cloud import bigquery
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT
from local_runner.traffic.simulate import DUPLICATE, FACT, default_start, simulate
from pipeline.reconcile import count
from schemas.errors import ErrorKind
from tests.support.waiting import PATIENCE_SECONDS

_BROKEN = (b'{"answer": "broken', ErrorKind.NOT_JSON)


class Traffic:
    """Simulated messages; a broken one among each batch, so that there is a dead letter in it."""

    def __init__(self, seed: int = 1) -> None:
        self._messages = (m for n in itertools.count(seed) for m in _simulated(n))

    def take(self, size: int) -> list[tuple[bytes, str]]:
        """Payload and outcome of the next messages."""
        return [_BROKEN, *itertools.islice(self._messages, size - 1)]


def _simulated(seed: int) -> list[tuple[bytes, str]]:
    return [(m.payload, str(m.outcome)) for m in simulate(2_000, seed, default_start())]


@dataclasses.dataclass(frozen=True)
class Wires:
    """Topics and subscriptions of one stream."""

    topic: str
    subscription: str
    dead_topic: str
    dead_subscription: str

    @classmethod
    def laid(cls) -> Self:
        """New ones, on the Pub/Sub that the environment names."""
        name = uuid.uuid4().hex
        wires = cls(
            *(
                f"projects/{PROJECT}/{kind}/{role}-{name}"
                for role in ("events", "dead")
                for kind in ("topics", "subscriptions")
            )
        )
        _lay(wires.topic, wires.subscription)
        _lay(wires.dead_topic, wires.dead_subscription)
        return wires


def _lay(topic: str, subscription: str) -> None:
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(name=topic)
        # The least that Pub/Sub takes: so long it keeps what a connection took that was then cut.
        subscriber.create_subscription(name=subscription, topic=topic, ack_deadline_seconds=10)


@dataclasses.dataclass
class Ledger:
    """What was sent, payload and outcome, and what a dataset has of it."""

    client: bigquery.Client
    dataset: Dataset
    sent: list[tuple[bytes, str]] = dataclasses.field(default_factory=list)

    def accounted(self) -> int:
        """Messages that are a fact, a duplicate or a dead letter by now."""
        return count(self.client, self.dataset).accounted

    def check(self) -> None:
        """All that was sent is there, each as what it is, and ``events`` has just the facts."""
        counts = count(self.client, self.dataset)
        found = {FACT: counts.facts, DUPLICATE: counts.duplicates, **counts.dead_letters}
        assert +collections.Counter(found) == collections.Counter(kind for _, kind in self.sent)
        assert self.events() == sorted(self._sent_events())

    def check_reads(self) -> None:
        """Of what is there, ``events`` has each event once, and none that was not sent."""
        events = self.events()
        assert len(events) == len(set(events))
        assert set(events) <= self._sent_events()

    def events(self) -> list[str]:
        """The ids that ``events`` has, in order."""
        query = self.client.query(f"SELECT event_id FROM `{self.dataset}.events`")
        return sorted(row["event_id"] for row in query.result())

    def _sent_events(self) -> set[str]:
        return {json.loads(body)["event_id"] for body, kind in self.sent if kind == FACT}


@dataclasses.dataclass
class Stream:
    """A pipeline that streams from ``wires`` into the ledger's dataset."""

    wires: Wires
    ledger: Ledger
    log: Path
    options: tuple[str, ...] = ()
    traffic: Traffic = dataclasses.field(default_factory=Traffic)
    process: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str]) -> None:
        """Runs the pipeline, in an environment that leads it to the doors."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "pipeline.main",
                    f"--input_subscription={self.wires.subscription}",
                    f"--dead_letter_topic={self.wires.dead_topic}",
                    f"--dataset={self.ledger.dataset}",
                    "--session_start_wait_seconds=1",
                    *self.options,
                ],
                stderr=output,
                env={**os.environ, **environment},
            )

    def end(self, number: signal.Signals) -> int:
        """Sends the signal and gives the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def publish(self, size: int) -> None:
        """Sends the next messages."""
        messages = self.traffic.take(size)
        with PublisherClient() as publisher:
            topic = self.wires.topic  # an attribute, since Pub/Sub takes no message without either
            futures = [publisher.publish(topic, body, origin="test") for body, _ in messages]
            for future in futures:
                future.result()
        self.ledger.sent += messages

    def mark(self) -> int:
        """The end of the log."""
        return self.log.stat().st_size if self.log.exists() else 0

    def wait_for_line(self, text: str, mark: int) -> None:
        """Waits until the pipeline says so, after a place in its log."""
        self.wait_until(lambda: text in self.log_from(mark), text)

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """Waits until something holds, as long as the pipeline runs."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert self.process is None or self.process.poll() is None, self.log_from(0)
            assert time.monotonic() < deadline, f"{what}: not seen\n{self.log_from(0)}"
            time.sleep(0.1)

    def check(self) -> None:
        """Waits until every message is accounted for; then the ledger must be right."""
        ledger = self.ledger
        self.wait_until(lambda: ledger.accounted() >= len(ledger.sent), "every message")
        ledger.check()

    def log_from(self, mark: int) -> str:
        """What the pipeline has said after a place in its log."""
        return self.log.read_bytes()[mark:].decode(errors="replace")
