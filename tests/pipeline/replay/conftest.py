import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from pipeline.replay import candidate_sources
from tests.pipeline.replay.replays import Wire


@pytest.fixture
def wire(pubsub_emulator, monkeypatch):
    """Two topics with a subscription each: the main one, and that of the dead letters."""
    monkeypatch.setattr(candidate_sources, "_PULL_SECONDS", 1.0)
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        yield Wire(publisher, subscriber)
        publisher.stop()
