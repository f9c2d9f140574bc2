import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from local_runner.environment import PubSubNames
from local_runner.traffic.publishing import publish
from pipeline.counts import Counts
from pipeline.reconcile import count
from tests.conftest import Warehouse
from tests.scenarios.one_machine.front import front

PATIENCE_SECONDS = 240


@pytest.fixture
def pubsub(pubsub_emulator, monkeypatch) -> Iterator[str]:
    """Host of the Pub/Sub emulator, which here notices that a client is gone."""
    with front(pubsub_emulator.host) as host:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
        yield host


@dataclasses.dataclass
class Machine:
    """The mode as its user runs it, between the emulators."""

    pubsub: PubSubNames
    warehouse: Warehouse
    log: Path
    environment: dict[str, str]
    arguments: list[str] = dataclasses.field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "pipeline.main",
                    "--micro_batch",
                    f"--input_subscription={self.pubsub.subscription}",
                    f"--dead_letter_topic={self.pubsub.dead_letter_topic}",
                    f"--dataset={self.warehouse.dataset}",
                    f"--metrics_port={self.port}",
                    *self.arguments,
                    *arguments,
                ],
                stderr=output,
                env=self.environment,
            )

    def publish(self, messages: list[tuple[bytes, dict[str, str]]]) -> None:
        publish(messages, self.pubsub.topic, lambda done: None)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self) -> dict[str, float]:
        """The samples without labels or with a kind; nothing while it does not answer."""
        try:
            _, text = self.get("/metrics")
        except urllib.error.URLError:
            return {}
        return {
            "_".join([sample.name, *sample.labels.values()]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def counted(self) -> Counts:
        return count(self.warehouse.client, self.warehouse.dataset)

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Waits for something that the process brings about."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.3)

    def wait_for(self, messages: int) -> None:
        """Waits until so many different messages are in the warehouse."""
        self.wait_until(lambda: self.counted().accounted >= messages)


@pytest.fixture
def machine(pubsub, applied, tmp_path) -> Iterator[Machine]:
    pubsub = PubSubNames.of(uuid.uuid4().hex)
    pubsub.create()
    running = Machine(pubsub, applied, tmp_path / "machine.log", dict(os.environ))
    yield running
    if running.process is not None:
        running.kill()
