"""Further subscriptions to a topic, and what comes through them as an archive."""

import uuid
from pathlib import Path

import fastavro
from google.cloud.pubsub_v1 import SubscriberClient

from local_runner.environment import PubSubNames
from tests.support.archives import ARCHIVE


def subscribe(pubsub: PubSubNames) -> str:
    """One more subscription to the topic of the events."""
    name = f"{pubsub.subscription}-{uuid.uuid4().hex}"
    with SubscriberClient() as subscriber:
        subscriber.create_subscription(name=name, topic=pubsub.topic)
    return name


def unsubscribe(subscription: str) -> None:
    """Deletes a subscription, so that nothing is kept for it."""
    with SubscriberClient() as subscriber:
        subscriber.delete_subscription(subscription=subscription)


def archive(subscription: str, count: int, path: Path) -> None:
    """Pulls messages and archives them as a Cloud Storage subscription does."""
    pulled = {}
    with SubscriberClient() as subscriber:
        while len(pulled) < count:
            answer = subscriber.pull(subscription=subscription, max_messages=1_000, timeout=30)
            pulled |= {one.message.message_id: one.message for one in answer.received_messages}
            subscriber.acknowledge(
                subscription=subscription, ack_ids=[one.ack_id for one in answer.received_messages]
            )
    records = (
        {
            "subscription_name": subscription,
            "message_id": message.message_id,
            "publish_time": message.publish_time,
            "attributes": dict(message.attributes),
            "data": message.data,
        }
        for message in pulled.values()
    )
    with path.open("wb") as file:
        fastavro.writer(file, ARCHIVE, records, codec="deflate")
