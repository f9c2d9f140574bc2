"""One stream of the direct runner through every outage, on the real emulators behind doors; its
rows go by streaming inserts.

Each test makes trouble, publishes, waits until the pipeline says that it waits, ends the trouble,
and then finds every message, exactly: facts + duplicates + dead letters = published, the dead
letters those that were sent broken, ``events`` event by event.
"""

import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from ddl.apply import apply
from schemas.errors import ErrorKind
from tests.outages import doors
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("outages_of_a_stream")

OPTIONS = ("--write_method=STREAMING_INSERTS",)
BIGQUERY_WAITS = "BigQuery is not available"
PUBSUB_WAITS = "Pub/Sub is not available"
TROUBLES = {
    "cut_off": doors.cuts_off,
    "500": doors.says(500, "internalError"),
    "429": doors.says(429, "rateLimitExceeded"),
    "403": doors.says(403, "accessDenied"),
    "502_of_a_gateway": doors.says_json(502, b'{"error": "bad gateway"}'),
    "the_answer_lost": doors.loses_the_answer,
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_bigquery_in_trouble_is_waited_out(stream, bigquery, trouble):
    mark = stream.mark()
    bigquery.rest.treatment = trouble
    stream.publish(25)
    stream.wait_for_line(BIGQUERY_WAITS, mark)
    bigquery.rest.treatment = doors.pass_on
    stream.check()


def test_a_killed_bigquery_that_comes_back_is_waited_out(stream, bigquery):
    mark = stream.mark()
    bigquery.kill()
    stream.publish(25)
    stream.wait_for_line(BIGQUERY_WAITS, mark)
    bigquery.start()
    stream.check()


def test_tables_dropped_and_made_anew_are_waited_for(stream):
    mark, ledger = stream.mark(), stream.ledger
    for table in ("events_fact", "dead_letters"):
        ledger.client.delete_table(ledger.dataset.table(table))
    ledger.sent.clear()  # it went with the tables
    stream.publish(25)
    stream.wait_for_line(BIGQUERY_WAITS, mark)
    apply(ledger.client, ledger.dataset)
    stream.check()


def test_a_dead_letter_topic_deleted_and_made_anew_is_waited_for(stream, pubsub):
    mark, sent = stream.mark(), len(stream.ledger.sent)
    wires, anew = stream.wires, f"{stream.wires.dead_subscription}-anew"
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.delete_topic(topic=wires.dead_topic)
        stream.publish(25)
        stream.wait_for_line(PUBSUB_WAITS, mark)
        pubsub.shut()  # until the topic has a subscription again
        publisher.create_topic(name=wires.dead_topic)
        subscriber.create_subscription(name=anew, topic=wires.dead_topic)
        pubsub.open()
        stream.check()
        broken = {body for body, kind in stream.ledger.sent[sent:] if kind in set(ErrorKind)}
        letters = set()
        while len(letters) < len(broken):
            pulled = subscriber.pull(subscription=anew, max_messages=100, timeout=PATIENCE_SECONDS)
            letters |= {received.message.data for received in pulled.received_messages}
    assert letters == broken


def test_a_pubsub_out_of_reach_is_waited_out(stream, pubsub):
    pubsub.shut()
    stream.publish(25)
    pubsub.open()
    stream.check()
