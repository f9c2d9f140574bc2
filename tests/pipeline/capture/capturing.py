"""A capture of a test, in its own process or as its user runs it."""

import json
import threading
import time

from google.api_core.exceptions import DeadlineExceeded
from prometheus_client import generate_latest
from sqlalchemy.pool import QueuePool

from pipeline.capture.health import Health
from pipeline.capture.loop import Capture
from pipeline.capture.slot import Slot
from pipeline.sources.postgres.engine import get_engine
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.postgres.mapping import default_mapping
from tests.support.waiting import PATIENCE_SECONDS

ALL = frozenset({"exam_event", "session_change", "dimension_change"})
_SILENT_SECONDS = 0.5


class Topic:
    """A topic and what it was sent."""

    def __init__(self, topic, subscription, publisher, subscriber):
        self.name, self.publisher = topic, publisher
        self._subscription, self._subscriber = subscription, subscriber

    def take(self, count):
        """The next messages, decoded; no more may come."""
        found = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < count:
            assert time.monotonic() < deadline, found
            found += self.pull(5.0)
        found += self.pull(_SILENT_SECONDS)
        assert len(found) == count, found
        return found

    def pull(self, seconds):
        """What there is."""
        try:
            answer = self._subscriber.pull(
                subscription=self._subscription, max_messages=1_000, timeout=seconds, retry=None
            )
        except DeadlineExceeded:
            return []
        received = answer.received_messages
        if received:
            self._subscriber.acknowledge(
                subscription=self._subscription, ack_ids=[each.ack_id for each in received]
            )
        return [
            json.loads(each.message.data) | {"family": each.message.attributes["event_family"]}
            for each in received
        ]


class Captured:
    """A capture of the database that DATABASE_URL names, which reads when a test says so."""

    def __init__(self, topic, slot, families=ALL, mapping=None):
        self.engine = get_engine(None, QueuePool)
        self.topic = topic
        self.slot = Slot(slot, slot)
        self.source = PostgresInput(None, mapping or default_mapping(), families)
        self.stop = threading.Event()
        self.restart()

    def restart(self):
        """Forgets what a process does that dies."""
        self.health = Health(self.slot.name, 1_000_000_000)
        self.capture = Capture(
            self.engine,
            self.source,
            self.slot,
            self.topic.publisher,
            self.topic.name,
            self.health,
            self.stop,
        )

    def read(self):
        """Reads the slot to its end."""
        while self.capture.read():
            pass

    def events(self, count):
        """What one reading publishes."""
        self.read()
        return self.topic.take(count)

    def counted(self, name):
        """A sample of /metrics, with its labels as there."""
        lines = generate_latest(self.health.registry).decode().splitlines()
        values = [float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")]
        return values[0] if values else 0.0
