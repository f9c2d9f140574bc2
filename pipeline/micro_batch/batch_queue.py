"""A queue of pulled messages, taken from it as batches."""

import collections
import threading
import time
from collections.abc import Hashable

from google.cloud.pubsub_v1.subscriber.message import Message

# Bytes of payloads and attributes per batch, so that memory is bounded.
MAX_BATCH_BYTES = 20_000_000


class BatchQueue:
    """Filled by the streams' threads, emptied batch by batch by the loop."""

    def __init__(self, max_messages: int, max_seconds: float) -> None:
        """Takes the size of a batch, and how long its first message waits for more (seconds)."""
        self._max_messages = max_messages
        self._max_seconds = max_seconds
        self._changed = threading.Condition()
        self._waiting: collections.deque[tuple[Hashable, Message]] = collections.deque()
        self._bytes = 0
        self._first_at = 0.0
        self._closed = False
        self._failure: Exception | None = None

    def put(self, stream: Hashable, message: Message) -> None:
        """Adds a message from a stream."""
        with self._changed:
            if not self._waiting:
                self._first_at = time.monotonic()
                self._changed.notify()
            self._waiting.append((stream, message))
            self._bytes += message.size
            if self._is_full():
                self._changed.notify()

    def give_back(self, stream: Hashable) -> list[Message]:
        """Removes and returns the messages of a stream that no batch has taken."""
        with self._changed:
            given = [message for of, message in self._waiting if of is stream]
            self._waiting = collections.deque(
                (of, message) for of, message in self._waiting if of is not stream
            )
            self._bytes -= sum(message.size for message in given)
            return given

    def take(self) -> list[Message]:
        """Waits for the next batch and returns it; empty once the queue is closed.

        Raises:
            Exception: the failure that the queue was closed with.
        """
        with self._changed:
            batch: list[Message] = []
            while not batch and not self._closed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                left = self._first_at + self._max_seconds - time.monotonic()
                self._changed.wait_for(lambda: self._closed or self._is_full(), timeout=left)
                if not self._closed:
                    batch = self._take()  # empty if a stream has given back its messages
            if self._failure is not None:
                raise self._failure
            return batch

    def close(self, failure: Exception | None = None) -> None:
        """Ends ``take``; the streams give back the messages that still wait."""
        with self._changed:
            self._closed = True
            self._failure = self._failure or failure
            self._changed.notify()

    def oldest(self) -> Message | None:
        """The message that has waited longest."""
        with self._changed:
            return self._waiting[0][1] if self._waiting else None

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._max_messages or self._bytes >= MAX_BATCH_BYTES

    def _take(self) -> list[Message]:
        batch: list[Message] = []
        size = 0
        while self._waiting and len(batch) < self._max_messages and size < MAX_BATCH_BYTES:
            _, message = self._waiting.popleft()
            batch.append(message)
            size += message.size
        self._bytes -= size
        self._first_at = time.monotonic()
        return batch
