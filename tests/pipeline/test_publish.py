"""Dead letters to Pub/Sub, against its emulator."""

import apache_beam as beam
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import pubsub_v1

from pipeline.sinks import publish
from pipeline.sinks.publish import PublishDeadLetters
from schemas.dead_letter import DeadLetter
from schemas.errors import ErrorKind, Rejection
from schemas.message import Message
from tests.pipeline.events import NOW
from tests.waiting import PATIENCE_SECONDS

PROJECT = "local-exams"


def letter(number, attributes):
    return DeadLetter(
        message=Message(
            payload=f"payload {number}".encode(),
            message_id=str(number),
            publish_time=NOW,
            source="projects/p/subscriptions/s",
            attributes=attributes,
        ),
        rejection=Rejection(ErrorKind.NOT_JSON, "the body is not valid JSON"),
        stage="ValidateEvents",
        event_family="exam_event",
        failed_at=NOW,
        pipeline_version="0",
    )


def test_dead_letters_reach_pubsub_whatever_their_attributes_are_called(pubsub_emulator):
    topic = f"projects/{PROJECT}/topics/dead-letters-of-sinks"
    subscription = f"projects/{PROJECT}/subscriptions/dead-letters-of-sinks"
    clash = {name: name for name in ("data", "topic", "timeout", "retry", "ordering_key", "self")}
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        publisher.create_topic(name=topic)
        subscriber.create_subscription(name=subscription, topic=topic)
        with beam.Pipeline("FnApiRunner") as pipeline:
            _ = (
                pipeline
                | beam.Create([letter(n, clash) for n in range(1_200)])
                | PublishDeadLetters(topic)
            )
        received = {}
        while len(received) < 1_200:
            pulled = subscriber.pull(
                subscription=subscription, max_messages=1_000, timeout=PATIENCE_SECONDS
            )
            received |= {
                m.message.data: dict(m.message.attributes) for m in pulled.received_messages
            }
            subscriber.acknowledge(
                subscription=subscription, ack_ids=[m.ack_id for m in pulled.received_messages]
            )
        publisher.stop()
    assert clash.items() <= received[b"payload 7"].items()
    assert received[b"payload 7"]["error_kind"] == "not_json"
    assert received[b"payload 7"]["message_id"] == "7"


def test_credentials_that_come_late_are_waited_for(monkeypatch):
    """A stand-in for the client: no emulator asks for credentials."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers = iter([DefaultCredentialsError("no metadata server"), "client"])

    def client():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(pubsub_v1, "PublisherClient", client)
    fn = publish._PublishFn("projects/p/topics/t")
    fn.setup()
    assert fn._client == "client"
