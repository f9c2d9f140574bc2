"""The health of the mode for machines: Prometheus metrics and a health page."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence

from google.cloud.pubsub_v1.subscriber.message import Message
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pipeline import health_server
from pipeline.micro_batch.batches import Counts
from pipeline.preflight import StartupError
from schemas import metrics
from schemas.errors import ErrorKind
from schemas.family import EventFamily

# A batch that takes longer than this is waiting for a service.
SLOW_BATCH_SECONDS = 60.0
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)

# In a run of several families.
_BY_FAMILY = {
    metrics.ROUTED: "Messages",
    metrics.WRITTEN: "Rows of facts",
    metrics.DEAD_LETTERS: "Dead letters",
}


class Health:
    """Counts the results of batches; ``serve`` publishes them over HTTP."""

    def __init__(
        self,
        families: Sequence[EventFamily],
        oldest_waiting: Callable[[], Message | None],
        source_fault: Callable[[], str | None],
    ) -> None:
        """Takes functions that return the message waiting longest, and the source's fault."""
        self._families = [None, *(each.name for each in families)] if len(families) > 1 else []
        self._oldest_waiting = oldest_waiting
        self._source_fault = source_fault
        self._running: tuple[float, dt.datetime] | None = None
        self.registry = CollectorRegistry()
        name = metrics.NAMESPACE
        self._received = Counter(
            f"{name}_received", "Messages in finished batches", registry=self.registry
        )
        self._written = Counter(f"{name}_written", "Rows of facts", registry=self.registry)
        self._dead_letters = Counter(
            f"{name}_dead_letters", "Dead letters", ["kind"], registry=self.registry
        )
        self._by_family = {
            counted: Counter(
                f"{name}_{counted}_by_family", text, ["family"], registry=self.registry
            )
            for counted, text in _BY_FAMILY.items()
            if self._families
        }
        self._batch_seconds = Histogram(
            f"{name}_batch_seconds",
            "From the start of a batch to its rows being in BigQuery",
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._lag_seconds = Histogram(
            f"{name}_publish_to_written_seconds",
            "From a message's publish time to its row being in BigQuery; a batch's oldest message",
            registry=self.registry,
            buckets=_SECONDS,
        )
        Gauge(
            f"{name}_oldest_unacknowledged_seconds",
            "Since the publish time of the oldest message that is held here",
            registry=self.registry,
        ).set_function(self.oldest_seconds)
        for kind in ErrorKind:
            self._dead_letters.labels(kind)

    @contextlib.contextmanager
    def running(self, messages: Sequence[Message]) -> Iterator[None]:
        """Tracks a running batch; its duration is recorded if it succeeds."""
        began, oldest = time.monotonic(), min(message.publish_time for message in messages)
        self._running = began, oldest
        try:
            yield
            self._batch_seconds.observe(time.monotonic() - began)
            self._lag_seconds.observe((dt.datetime.now(dt.UTC) - oldest).total_seconds())
        finally:
            self._running = None

    def count(self, counts: Counts) -> None:
        """Adds the counters of a batch."""
        self._received.inc(counts[metrics.RECEIVED])
        self._written.inc(counts[metrics.WRITTEN])
        for kind in ErrorKind:
            self._dead_letters.labels(kind).inc(counts[metrics.error_kind_counter(kind)])
        for counted, counter in self._by_family.items():
            for name in self._families:
                count = counts[metrics.family_counter(counted, name)]
                counter.labels(name or metrics.NO_FAMILY).inc(count)

    def oldest_seconds(self) -> float:
        """Age of the oldest unacknowledged message in seconds; 0 if there is none."""
        running, waiting = self._running, self._oldest_waiting()
        times = [running[1]] if running else []
        times += [waiting.publish_time] if waiting else []
        return (dt.datetime.now(dt.UTC) - min(times)).total_seconds() if times else 0.0

    def fault(self) -> str | None:
        """Why messages are not being written, in one line; None if they are."""
        if (fault := self._source_fault()) is not None:
            return fault
        running = self._running
        seconds = time.monotonic() - running[0] if running else 0.0
        if seconds > SLOW_BATCH_SECONDS:
            return f"a batch has been running for {seconds:.0f} s: the log says what it waits for"
        return None

    @contextlib.contextmanager
    def serve(self, port: int) -> Iterator[None]:
        """Answers /metrics and /healthz (200, or 503 with the fault) while the context is open.

        Raises:
            StartupError: the port cannot be used.
        """
        try:
            with health_server.serve(port, self.registry, self.fault):
                yield
        except health_server.PortError as error:
            raise StartupError(str(error)) from None
