"""Pulls messages with the Pub/Sub client's own streaming pull.

Leases, their extension and flow control are the client's. Its thread pool, which would call back
for each message, is replaced by a scheduler of ours that puts messages into the BatchQueue.
"""

import logging
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.subscriber.scheduler import Scheduler
from google.cloud.pubsub_v1.types import FlowControl

from gcp.retry import is_outage, retry_transient
from pipeline.micro_batch.batch_queue import MAX_BATCH_BYTES, BatchQueue
from pipeline.micro_batch.reachability import Reachability

# One stream delivers up to 10 MB/s from the service, 1,900 messages/s from the emulator.
STREAMS = 4
# As long as Pub/Sub keeps a message: a batch may wait that long for a service. Messages that the
# client no longer leases would no longer count against flow control either.
_MAX_LEASE_SECONDS = 31 * 24 * 3600.0
_STOP_SECONDS = 10.0
_LOG = logging.getLogger(__name__)


class Puller:
    """Fills a BatchQueue from a subscription while its context is open."""

    def __init__(self, subscription: str, batch_queue: BatchQueue, max_messages: int) -> None:
        self._subscription = subscription
        self._batch_queue = batch_queue
        # Two batches in all: one runs while the next is pulled.
        self._flow_control = FlowControl(
            max_messages=max(1, 2 * max_messages // STREAMS),
            max_bytes=2 * MAX_BATCH_BYTES // STREAMS,
            max_lease_duration=_MAX_LEASE_SECONDS,
        )
        self._lock = threading.Lock()
        self._futures: dict[_Stream, StreamingPullFuture] = {}
        self._stopping = False

    def __enter__(self) -> Self:
        self._client = SubscriberClient()
        self._reachability = Reachability(self._client, self._subscription)
        self._reachability.start()
        streams = [_Stream(self._batch_queue) for _ in range(STREAMS)]
        self._threads = [
            threading.Thread(target=self._keep_open, args=(stream,), daemon=True)
            for stream in streams
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Sends pending acknowledgements, gives back messages that no batch took."""
        self._reachability.close()
        with self._lock:
            self._stopping = True
            for future in self._futures.values():
                future.cancel()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
        self._client.close()

    @property
    def fault(self) -> str | None:
        """Why no messages arrive, in one line; None if nothing is wrong."""
        with self._lock:
            if len(self._futures) < STREAMS:
                return "not connected to Pub/Sub"
        return self._reachability.fault

    def _keep_open(self, stream: "_Stream") -> None:
        try:
            while not self._stopping:
                retry_transient("Pub/Sub", self._pull, stream)
        except Exception as error:
            self._batch_queue.close(error)

    def _pull(self, stream: "_Stream") -> None:
        """Pulls until the stream ends.

        Raises:
            GoogleAPICallError, RetryError: it failed before it delivered a message.
        """
        stream.brought = False
        with self._lock:
            if self._stopping:
                return
            future = self._futures[stream] = self._client.subscribe(
                self._subscription,
                callback=_never_called,
                flow_control=self._flow_control,
                scheduler=stream,
            )
        try:
            future.result()
        except (GoogleAPICallError, RetryError) as error:
            if not (stream.brought and is_outage(error)):
                raise
            _LOG.warning("a stream from Pub/Sub ended (%s): opening it again", type(error).__name__)
        finally:
            with self._lock:
                del self._futures[stream]


class _Stream(Scheduler):
    """The scheduler that the client passes its messages to.

    Attributes:
        brought: whether a message has come since it was opened.
    """

    def __init__(self, batch_queue: BatchQueue) -> None:
        self._batch_queue = batch_queue
        self._requests: queue.Queue[Any] = queue.Queue()
        self.brought = False

    @property
    def queue(self) -> "queue.Queue[Any]":
        """The queue that returns acknowledgements to the client."""
        return self._requests

    def schedule(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Puts one message into the BatchQueue."""
        self.brought = True
        self._batch_queue.put(self, args[0])

    def shutdown(self, await_msg_callbacks: bool = False) -> list[Message]:
        """Returns the messages that are in no batch, for the client to nack."""
        return self._batch_queue.give_back(self)


def _never_called(message: Message) -> None:
    raise NotImplementedError
