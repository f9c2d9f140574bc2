"""The sinks against the emulators. Where a service must misbehave, which no emulator does on
request, its client is a fake, and the test's name says so.
"""

import pickle

import apache_beam as beam
import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import sinks
from pipeline.sinks import InsertClient, PublishDeadLetters
from schemas.errors import ErrorKind
from schemas.message import DeadLetter, Message
from tests.pipeline.events import NOW

PROJECT = "local-exams"


class FakeBigQuery:
    """Answers insert_rows_json from a script: an error to raise, or BigQuery's list of errors."""

    def __init__(self, refuses=lambda row: False, script=()):
        self.refuses = refuses
        self.script = list(script)
        self.stored = []

    def insert_rows_json(self, table, rows, **options):
        if self.script:
            raise self.script.pop(0)
        if any(self.refuses(row) for row in rows):
            raise exceptions.BadRequest("not a row")
        self.stored += rows
        return []


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def make(fake):
        monkeypatch.setattr(sinks, "bigquery_client", lambda project: fake)
        return InsertClient(PROJECT, "written")

    return make


def insert(client, rows):
    return client.insert_rows_json("p.d.t", rows, [str(n) for n in range(len(rows))])


def test_with_a_fake_bigquery_an_outage_refuses_no_row(client):
    outage = [
        exceptions.ServiceUnavailable("away"),
        exceptions.Forbidden("no access"),
        exceptions.NotFound("no table"),
    ]
    fake = FakeBigQuery(script=outage)
    assert insert(client(fake), [{"a": 1}, {"a": 2}]) == []
    assert fake.stored == [{"a": 1}, {"a": 2}]


@given(st.lists(st.booleans(), min_size=1, max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_with_a_fake_bigquery_a_refused_request_costs_only_the_rows_at_fault(client, good):
    fake = FakeBigQuery(refuses=lambda row: not row["good"])
    errors = insert(client(fake), [{"good": g, "n": n} for n, g in enumerate(good)])
    assert [row["n"] for row in fake.stored] == [n for n, g in enumerate(good) if g]
    assert [e["index"] for e in errors] == [n for n, g in enumerate(good) if not g]


def test_the_insert_client_travels_without_its_connection(client):
    fake = FakeBigQuery()
    fake.unpicklable = lambda: None
    made = client(fake)
    insert(made, [{"a": 1}])
    assert pickle.loads(pickle.dumps(made)) is not None  # noqa: S301


def letter(number, attributes):
    return DeadLetter(
        message=Message(
            payload=f"payload {number}".encode(),
            message_id=str(number),
            publish_time=NOW,
            source="projects/p/subscriptions/s",
            attributes=attributes,
        ),
        error_kind=ErrorKind.NOT_JSON,
        error_message="the body is not valid JSON",
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
            pulled = subscriber.pull(subscription=subscription, max_messages=1_000, timeout=30)
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
