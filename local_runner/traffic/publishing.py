"""Publishes messages in batches at a given rate, and pulls them from a subscription."""

import collections
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait

from google.api_core.exceptions import DeadlineExceeded, GoogleAPIError, NotFound
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.types import BatchSettings

from local_runner.errors import RunnerError

_PULL_SECONDS = 5.0
_CLOSE_SECONDS = 10.0
_BATCHES = BatchSettings(max_messages=500, max_latency=0.05)


def publish(
    messages: Iterable[tuple[bytes, Mapping[str, str]]],
    topic: str,
    advance: Callable[[int], None],
    rate: float | None = None,
) -> int:
    """Publishes the messages in order and waits until the topic has accepted all of them.

    Args:
        messages: bodies and attributes.
        topic: ``projects/P/topics/T``.
        advance: called with the number of messages that the topic has accepted so far.
        rate: messages per second; None is as fast as the topic accepts them.

    Returns:
        The number of messages.

    Raises:
        RunnerError: there is no such topic.
        google.api_core.exceptions.GoogleAPIError: the topic does not accept them.
    """
    began, taken = time.monotonic(), 0
    futures: collections.deque[Future[str]] = collections.deque()

    def wait_for_first() -> None:
        nonlocal taken
        futures.popleft().result()
        taken += 1
        advance(taken)

    try:
        with PublisherClient(_BATCHES) as publisher:
            try:
                for handed_over, (body, attributes) in enumerate(messages):
                    if rate is not None:
                        time.sleep(max(0.0, began + handed_over / rate - time.monotonic()))
                    futures.append(publisher.publish(topic, body, **attributes))
                    while futures and futures[0].done():
                        wait_for_first()
                while futures:
                    wait_for_first()
            except GoogleAPIError:
                # Batches in flight fail too, but not in a thread that finds its client closed.
                wait(futures, timeout=_CLOSE_SECONDS)
                raise
    except NotFound:
        raise RunnerError(f"topic {topic} does not exist: create it first") from None
    return taken


def pull(subscription: str, count: int) -> list[dict[str, str]]:
    """Pulls ``count`` messages from a subscription, or fewer if no more arrive.

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
