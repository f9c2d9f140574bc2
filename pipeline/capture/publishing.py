"""Publishes messages, in requests of a size that Pub/Sub accepts."""

from collections.abc import Iterator, Sequence
from typing import Any

from google.cloud.pubsub_v1 import PublisherClient
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1.types import PubsubMessage

from gcp.errors import about
from transforms.dead_letters import MAX_MESSAGE_BYTES

_TIMEOUT_SECONDS = 20.0
_MAX_MESSAGES = 1_000
_NO_RETRY: Any = None  # the caller retries


def publish(client: PublisherClient, topic: str, messages: Sequence[PubsubMessage]) -> int:
    """Returns once the topic has all messages, but for those that are too large for Pub/Sub.

    Returns:
        How many are too large.

    Raises:
        GoogleAPICallError: Pub/Sub does not answer, or rejects a request; some of the messages may
            be published.
    """
    sizes = [PubsubMessage.pb(message).ByteSize() for message in messages]
    for chunk in _chunks(messages, sizes):
        # The request itself: the client's publish() sends in threads that outlive a failure.
        with about(f"topic {topic}"):
            PublisherApi.publish(
                client, topic=topic, messages=chunk, retry=_NO_RETRY, timeout=_TIMEOUT_SECONDS
            )
    return sum(size > MAX_MESSAGE_BYTES for size in sizes)


def _chunks(
    messages: Sequence[PubsubMessage], sizes: Sequence[int]
) -> Iterator[list[PubsubMessage]]:
    chunk: list[PubsubMessage] = []
    in_chunk = 0
    for message, size in zip(messages, sizes, strict=True):
        if size > MAX_MESSAGE_BYTES:
            continue
        if chunk and (len(chunk) == _MAX_MESSAGES or in_chunk + size > MAX_MESSAGE_BYTES // 2):
            yield chunk
            chunk, in_chunk = [], 0
        chunk.append(message)
        in_chunk += size
    if chunk:
        yield chunk
