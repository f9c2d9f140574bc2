"""Dead letters for the tests of replay, and topics to send them over."""

import datetime as dt
import uuid

from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1.types import PubsubMessage

from pipeline.replay.__main__ import main
from pipeline.replay.candidates import ReplayPolicy, Selection
from pipeline.sinks.insert_rows import json_row
from schemas.errors import ErrorKind
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.transforms.builders import letter, message
from transforms.dead_letters import DeadLetterRow, to_pubsub, to_row

PROJECT = "local-exams"
THEIRS = {"app": "ios", "data": "a", "topic": "b", "retry": "c"}
ALL = Selection(
    kinds=frozenset(ErrorKind),
    start=dt.datetime.min.replace(tzinfo=dt.UTC),
    end=dt.datetime.max.replace(tzinfo=dt.UTC),
)


class Wire:
    """Two topics with a subscription each, and clients for them."""

    def __init__(self, publisher, subscriber):
        self.publisher, self.subscriber = publisher, subscriber
        self.main, self.dead = (self._make(role) for role in ("events", "dead"))

    def _make(self, role):
        name = f"{role}-{uuid.uuid4().hex}"
        topic, subscription = (
            f"projects/{PROJECT}/{k}/{name}" for k in ("topics", "subscriptions")
        )
        self.publisher.create_topic(name=topic)
        self.subscriber.create_subscription(name=subscription, topic=topic)
        return topic, subscription

    def dead_letters(self, *letters):
        messages = []
        for one in letters:
            data, attributes = to_pubsub(one)
            messages.append(PubsubMessage(data=data, attributes=attributes))
        PublisherApi.publish(self.publisher, topic=self.dead[0], messages=messages)

    def taken(self, which):
        """What a subscription holds ready: (data, attributes), in order; acknowledges it."""
        found = []
        while True:
            try:
                pulled = self.subscriber.pull(subscription=which[1], max_messages=100, timeout=1)
            except DeadlineExceeded:
                break
            if not pulled.received_messages:
                break
            ack_ids = [r.ack_id for r in pulled.received_messages]
            self.subscriber.acknowledge(subscription=which[1], ack_ids=ack_ids)
            found += [
                (r.message.data, dict(r.message.attributes)) for r in pulled.received_messages
            ]
        return sorted(found, key=str)

    def replay(self, *options):
        return main(
            [f"--dead_letter_subscription={self.dead[1]}", f"--topic={self.main[0]}", *options]
        )


def dead(message_id, body=None, kind=ErrorKind.NOT_JSON, replays=0, **more):
    attributes = THEIRS | ({"replay_count": str(replays), "replay_of": "m0"} if replays else {})
    return letter(
        message(body, message_id=message_id, attributes=attributes, **more),
        kind,
        replay_count=replays,
    )


def ids(letters):
    return [attributes["message_id"] for _, attributes in letters]


def rules():
    return ReplayPolicy([EXAM_EVENT], ALL, None, 3)


def insert(warehouse, *letters):
    rows = [json_row(DeadLetterRow._fields, to_row(one)) for one in letters]
    assert not warehouse.client.insert_rows_json(warehouse.dataset.table("dead_letters"), rows)
