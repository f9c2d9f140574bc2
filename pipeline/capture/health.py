"""The health of a capture for machines: Prometheus metrics and a health page."""

import datetime as dt
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas import metrics

# A capture that has done nothing for longer than this is waiting for a service.
_SILENT_SECONDS = 60.0
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)


class Health:
    """Counts what is captured, and knows what it waits for."""

    def __init__(self, slot: str, max_slot_lag_bytes: int) -> None:
        """Takes the slot's name, and how much WAL it may keep."""
        self._slot, self._most = slot, max_slot_lag_bytes
        self._slot_bytes: int | None = None
        self._alive_at = time.monotonic()
        self._waits_for: str | None = None
        self.registry = CollectorRegistry()
        self._published = self._counter("published", "Messages that Pub/Sub has")
        self._rejected = self._counter("rejected", "Messages too large for Pub/Sub, left out")
        self._changes = Counter(
            f"{metrics.NAMESPACE}_capture_changes",
            "Changes of rows that were read",
            ["table", "kind"],
            registry=self.registry,
        )
        self._gone = self._counter(
            "gone", "Updates left out, since a value was not sent and the row is deleted by now"
        )
        self._keyless = self._counter(
            "keyless_deletes", "Deletes left out, since they came without the primary key"
        )
        self._lag_seconds = Histogram(
            f"{metrics.NAMESPACE}_capture_commit_to_published_seconds",
            "From a commit to its messages being in Pub/Sub; a batch's oldest change",
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._retained = Gauge(
            f"{metrics.NAMESPACE}_capture_slot_retained_bytes",
            "WAL that the server keeps for the slot",
            registry=self.registry,
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"{metrics.NAMESPACE}_capture_{name}", text, registry=self.registry)

    def changed(self, table: str, kind: str) -> None:
        """Counts a change: upsert, delete or truncate."""
        self._changes.labels(table, kind).inc()

    def published(self, messages: int, rejected: int, oldest: dt.datetime) -> None:
        """Counts a batch that Pub/Sub has; ``oldest`` is its first commit."""
        self.alive()
        self._published.inc(messages - rejected)
        self._rejected.inc(rejected)
        self._lag_seconds.observe((dt.datetime.now(dt.UTC) - oldest).total_seconds())

    def left_out(self, *, gone: int = 0, keyless: int = 0) -> None:
        """Counts changes that become no message."""
        self._gone.inc(gone)
        self._keyless.inc(keyless)

    def alive(self) -> None:
        """Notes that everything works."""
        self._alive_at, self._waits_for = time.monotonic(), None

    def waits_for(self, what: str) -> None:
        """Notes what does not work."""
        self._waits_for = what

    def keeps(self, slot_bytes: int | None) -> None:
        """Notes how much WAL the slot keeps."""
        self._slot_bytes = slot_bytes
        self._retained.set(slot_bytes or 0)

    def fault(self) -> str | None:
        """Why changes are not being published, or what is about to go wrong, in one line."""
        seconds = time.monotonic() - self._alive_at
        if seconds > _SILENT_SECONDS:
            return f"nothing was captured for {seconds:.0f} s: {self._waits_for or 'see the log'}"
        if self._slot_bytes is not None and self._slot_bytes > self._most:
            return (
                f"slot {self._slot} makes the server keep {self._slot_bytes:,} bytes of WAL, more "
                f"than --max_slot_lag_bytes {self._most:,}"
            )
        return None
