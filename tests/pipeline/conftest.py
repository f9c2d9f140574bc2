from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from pipeline.replay import candidate_sources
from tests.pipeline.events import bodies
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
