"""Messages that were pulled and wait to be taken as a batch."""

import collections
import threading
import time
from collections.abc import Hashable

from google.cloud.pubsub_v1.subscriber.message import Message

# What one batch may hold in payloads and attributes, so that memory is bounded.
MAX_BATCH_BYTES = 20_000_000


class BatchQueue:
    """Filled by the streams' threads, emptied batch by batch by the loop."""

    def __init__(self, max_messages: int, max_seconds: float) -> None:
        """Takes how many messages make a batch, and how long the first of them waits for more."""
        self._max_messages = max_messages
        self._max_seconds = max_seconds
        self._changed = threading.Condition()
        self._waiting: collections.deque[tuple[Hashable, Message]] = collections.deque()
        self._bytes = 0
        self._first_at = 0.0
        self._closed = False
        self._failure: Exception | None = None

    def put(self, stream: Hashable, message: Message) -> None:
        """Adds a message that came by a stream."""
        with self._changed:
            if not self._waiting:
                self._first_at = time.monotonic()
                self._changed.notify()
            self._waiting.append((stream, message))
            self._bytes += message.size
            if self._is_full():
                self._changed.notify()

    def give_back(self, stream: Hashable) -> list[Message]:
        """What came by a stream and was not taken; it waits no more."""
        with self._changed:
            given = [message for of, message in self._waiting if of is stream]
            self._waiting = collections.deque(
                (of, message) for of, message in self._waiting if of is not stream
            )
            self._bytes -= sum(message.size for message in given)
            return given

    def take(self) -> list[Message]:
        """Waits for the next batch; it is empty when the queue was closed.

        Raises:
            Exception: what the queue was closed with.
        """
        with self._changed:
            batch: list[Message] = []
            while not batch and not self._closed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                left = self._first_at + self._max_seconds - time.monotonic()
                self._changed.wait_for(lambda: self._closed or self._is_full(), timeout=left)
                if not self._closed:
                    batch = self._take()  # empty where a stream has taken back what there was
            if self._failure is not None:
                raise self._failure
            return batch

    def close(self, failure: Exception | None = None) -> None:
        """Has the loop take no more; what waits is for the streams to give back."""
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
