"""Messages to a topic, in batches and at a given rate, and back from a subscription."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future

from google.api_core.exceptions import DeadlineExceeded
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.types import BatchSettings

_PULL_SECONDS = 5.0
_BATCHES = BatchSettings(max_messages=500, max_latency=0.05)


def publish(
    messages: Iterable[tuple[bytes, Mapping[str, str]]],
    topic: str,
    advance: Callable[[int], None],
    rate: float | None = None,
) -> int:
    """Publishes the messages in their order and waits until the topic has taken all of them.

    Args:
        messages: bodies and attributes.
        topic: ``projects/P/topics/T``.
        advance: told how many messages have been handed over so far.
        rate: messages per second; None is as fast as the topic takes them.

    Returns:
        How many there were.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the topic does not take them.
    """
    began = time.monotonic()
    futures: list[Future[str]] = []
    with PublisherClient(_BATCHES) as publisher:
        for body, attributes in messages:
            if rate is not None:
                time.sleep(max(0.0, began + len(futures) / rate - time.monotonic()))
            futures.append(publisher.publish(topic, body, **attributes))
            advance(len(futures))
        for future in futures:
            future.result()
    return len(futures)


def pull(subscription: str, count: int) -> list[dict[str, str]]:
    """Takes ``count`` messages off a subscription, or fewer where no more come.

    Args:
        subscription: ``projects/P/subscriptions/S``.
        count: how many are expected.

    Returns:
        The attributes of each.
    """
    attributes: list[dict[str, str]] = []
    with SubscriberClient() as subscriber:
        while len(attributes) < count:
            try:
                received = subscriber.pull(
                    subscription=subscription, max_messages=1000, timeout=_PULL_SECONDS
                ).received_messages
            except DeadlineExceeded:
                break
            if not received:
                break
            attributes += [dict(letter.message.attributes) for letter in received]
            subscriber.acknowledge(
                subscription=subscription, ack_ids=[letter.ack_id for letter in received]
            )
    return attributes
