import uuid

import pytest

from tests.pipeline.capture.capturing import Captured, Topic
from tests.pipeline.sources.postgres.conftest import puller as puller
from tests.pipeline.sources.postgres.conftest import school as school


@pytest.fixture
def topic(topics):
    names, publisher, subscriber = topics
    return Topic(*names["events"], publisher, subscriber)


@pytest.fixture
def slot():
    """The name of a slot and of its publication: slots are the whole server's."""
    return f"test_{uuid.uuid4().hex}"


@pytest.fixture
def captured(school, topic, slot):
    """A capture whose slot begins now."""
    captured = Captured(topic, slot)
    captured.read()
    yield captured
    captured.engine.dispose()
