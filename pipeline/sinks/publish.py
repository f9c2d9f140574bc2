"""Publishes dead letters to their Pub/Sub topic."""

import logging
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1.types import PubsubMessage

from gcp.retry import retry_transient, send_in_halves
from schemas import metrics
from schemas.dead_letter import DeadLetter
from transforms.dead_letters import MAX_MESSAGE_BYTES, to_pubsub

_LOG = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 60.0
_MAX_PUBLISH_MESSAGES = 1_000
_NO_RETRY: Any = None  # the caller retries


class PublishDeadLetters(beam.PTransform):
    """DeadLetter -> the dead-letter topic; a bundle ends when Pub/Sub has all of its letters."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._topic = topic

    def expand(self, input_or_inputs: beam.PCollection[DeadLetter]) -> beam.PCollection[Any]:
        """Publishes each dead letter; the output is empty."""
        return input_or_inputs | beam.ParDo(_PublishFn(self._topic))


class _PublishFn(beam.DoFn):
    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._published = metrics.counter(metrics.DEAD_LETTERS_PUBLISHED)
        self._rejected = metrics.counter(metrics.DEAD_LETTER_MESSAGES_REFUSED)

    def setup(self) -> None:
        self._client = retry_transient("Pub/Sub", pubsub_v1.PublisherClient)

    def start_bundle(self) -> None:
        self._pending: list[PubsubMessage] = []
        self._pending_bytes = 0

    def process(self, element: DeadLetter) -> None:
        data, attributes = to_pubsub(element)
        message = PubsubMessage(data=data, attributes=attributes)
        size = PubsubMessage.pb(message).ByteSize()
        if (
            len(self._pending) == _MAX_PUBLISH_MESSAGES
            or self._pending_bytes + size > MAX_MESSAGE_BYTES // 2
        ):
            self._flush()
        self._pending.append(message)
        self._pending_bytes += size

    def finish_bundle(self) -> None:
        self._flush()

    def teardown(self) -> None:
        self._client.stop()

    def _flush(self) -> None:
        if not self._pending:
            return
        for _, reply in send_in_halves(self._send, self._pending):
            if isinstance(reply, GoogleAPICallError):
                # The table has it; retrying would not make the topic accept it.
                _LOG.error("Pub/Sub rejected a dead letter: %s", type(reply).__name__)
                self._rejected.inc()
            else:
                self._published.inc(reply)
        self.start_bundle()

    def _send(self, messages: Sequence[PubsubMessage]) -> int:
        # The request itself rather than the client's publish(), which takes attributes as keywords
        # and so cannot send any named data, topic, retry or timeout.
        retry_transient(
            "Pub/Sub",
            PublisherApi.publish,
            self._client,
            topic=self._topic,
            messages=list(messages),
            retry=_NO_RETRY,
            timeout=_TIMEOUT_SECONDS,
        )
        return len(messages)
