"""The same messages through this mode, through the stream and as an archive: the same events."""

import dataclasses
import uuid

import fastavro
from google.cloud.pubsub_v1 import SubscriberClient

from ddl.apply import apply
from gcp.dataset import Dataset
from tests.micro_batch.traffic import mixed, sent
from tests.pipeline.archives import ARCHIVE
from tests.pipeline.commands import run
from tests.pipeline.streaming import streaming

SIZE = 400
EVENTS = "SELECT * EXCEPT (ingest_ts, pipeline_version) FROM `{}.events` ORDER BY event_id"


def another_dataset(warehouse):
    dataset = Dataset(warehouse.dataset.project, f"test_{uuid.uuid4().hex}")
    apply(warehouse.client, dataset)
    return dataset


def subscribe(pubsub):
    """One more subscription to the same topic."""
    name = f"{pubsub.subscription}-{uuid.uuid4().hex}"
    with SubscriberClient() as subscriber:
        subscriber.create_subscription(name=name, topic=pubsub.topic)
    return name


def write_archive(subscription, count, path):
    """Pulls messages and archives them as a Cloud Storage subscription does."""
    pulled = {}
    with SubscriberClient() as subscriber:
        while len(pulled) < count:
            answer = subscriber.pull(subscription=subscription, max_messages=100, timeout=30)
            pulled |= {one.message.message_id: one.message for one in answer.received_messages}
            subscriber.acknowledge(
                subscription=subscription, ack_ids=[one.ack_id for one in answer.received_messages]
            )
    records = [
        {
            "subscription_name": subscription,
            "message_id": message.message_id,
            "publish_time": message.publish_time,
            "attributes": dict(message.attributes),
            "data": message.data,
        }
        for message in pulled.values()
    ]
    with path.open("wb") as file:
        fastavro.writer(file, ARCHIVE, records)


def test_every_way_gives_the_same_events(machine, tmp_path):
    warehouse, pubsub = machine.warehouse, machine.pubsub
    streamed, archived = another_dataset(warehouse), another_dataset(warehouse)
    to_stream, to_archive = subscribe(pubsub), subscribe(pubsub)
    messages = mixed(SIZE, seed=1)
    machine.publish(sent(messages))

    machine.start("--micro_batch_max_messages=50")  # so that sessions reach over batches
    machine.wait_for(SIZE)
    assert machine.stop() == 0

    names = {"events": (None, to_stream), "dead-letters": (pubsub.dead_letter_topic, None)}
    log = tmp_path / "stream.log"
    with streaming(names, streamed, log) as machine.process:
        elsewhere = dataclasses.replace(warehouse, dataset=streamed)
        dataclasses.replace(machine, warehouse=elsewhere, log=log).wait_for(SIZE)

    write_archive(to_archive, SIZE, tmp_path / "archive.avro")
    done = run(f"--input={tmp_path / 'archive.avro'}", f"--dataset={archived}")
    assert done.returncode == 0, done.stderr

    first, *others = (
        [dict(row.items()) for row in warehouse.client.query(EVENTS.format(dataset)).result()]
        for dataset in (warehouse.dataset, streamed, archived)
    )
    assert len(first) > SIZE * 0.8
    assert {row["late_status"] for row in first} >= {"ON_TIME", "LATE", "NOT_APPLICABLE"}
    assert others == [first, first]
    for dataset in (streamed, archived):
        warehouse.client.delete_dataset(str(dataset), delete_contents=True)
