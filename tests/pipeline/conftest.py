import uuid
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT
from pipeline.replay import candidate_sources
from pipeline.sinks import table_schema
from pipeline.sinks.storage_write import connection as storage_connection
from pipeline.sinks.storage_write import stream as storage_stream
from pipeline.sinks.storage_write.writer import StorageWriter
from tests.pipeline.events import bodies
from tests.pipeline.fake_storage import COLUMNS, EXTRA, KIND, FakeStorage, FakeTable, N
from tests.pipeline.replays import Wire


@pytest.fixture
def jsonl(tmp_path) -> Callable[..., str]:
    """Writes payloads (dict or bytes), one a line, and gives the path."""

    def write(*payloads: dict[str, Any] | bytes, name: str = "events.jsonl") -> str:
        path = tmp_path / name
        path.write_bytes(b"".join(body + b"\n" for body in bodies(*payloads)))
        return str(path)

    return write


@pytest.fixture
def wire(pubsub_emulator, monkeypatch):
    """Two topics with a subscription each: the main one, and that of the dead letters."""
    monkeypatch.setattr(candidate_sources, "_PULL_SECONDS", 1.0)
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        yield Wire(publisher, subscriber)
        publisher.stop()


@pytest.fixture(scope="module")
def _storage_server():
    server = FakeStorage()
    yield server
    server.stop()


@pytest.fixture
def storage_server(_storage_server, monkeypatch):
    """The fake in place of BigQuery, and no waiting."""
    monkeypatch.setenv("BIGQUERY_STORAGE_EMULATOR_HOST", _storage_server.host)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(storage_stream, "_LINGER_SECONDS", 0)
    return _storage_server


@pytest.fixture
def impatient(monkeypatch):
    """A server that hangs is given up soon; one that is merely slow may be, too."""
    monkeypatch.setattr(storage_connection, "RESPONSE_SECONDS", 0.1)


@pytest.fixture
def no_wait(storage_server, monkeypatch):
    def fail(seconds):
        raise AssertionError("nothing is to be waited out here")

    monkeypatch.setattr("time.sleep", fail)


@pytest.fixture
def storage_table(storage_server, monkeypatch):
    """Makes a table of the fake and a writer for it."""
    writers = []

    def make(*fields):
        dataset = Dataset("local-exams", f"fake_{uuid.uuid4().hex}")
        table = FakeTable(list(fields) or [N, KIND, EXTRA])
        path = f"projects/{dataset.project}/datasets/{dataset.name}/tables/t/streams/_default"
        storage_server.tables[path] = table
        monkeypatch.setattr(table_schema, "bigquery_client", lambda project: table)
        writer = StorageWriter(dataset, "t", COLUMNS)
        writer.open()
        writers.append(writer)
        return table, writer

    yield make
    for writer in writers:
        writer.close()


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
