import uuid

import pytest
from google.cloud import pubsub_v1

from local_runner.postgres.school import create_tables
from tests.pipeline.capture.capturing import Captured, Topic
from tests.pipeline.sources.postgres.conftest import school as school

FAMILIES = "--event_family=exam_event,session_change"


@pytest.fixture
def tables(postgres):
    """The URL of a database with the documented tables, empty."""
    create_tables(postgres)
    return postgres


@pytest.fixture
def captured(postgres, machine):
    """A capture that begins once it is read first, to the topic that ``machine`` reads."""
    with pubsub_v1.PublisherClient() as publisher:
        topic = Topic(machine.pubsub.topic, None, publisher, None)
        captured = Captured(
            topic, f"test_{uuid.uuid4().hex}", frozenset({"exam_event", "session_change"})
        )
        yield captured
        captured.engine.dispose()
        publisher.stop()
