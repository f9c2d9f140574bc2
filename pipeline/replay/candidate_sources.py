"""Where dead letters are read for a replay: the subscription of their topic, or their table."""

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from google.api_core.exceptions import DeadlineExceeded
from google.cloud import bigquery
from google.cloud.pubsub_v1 import SubscriberClient
from google.pubsub_v1.types import ReceivedMessage

from gcp import queries
from gcp.dataset import Dataset
from pipeline import fact_tables
from pipeline.replay.candidates import ReplayCandidate, Selection
from schemas.family import EventFamily

_BATCH = 500
_PULL_SECONDS = 5.0
_LEASE_SECONDS = 600
_RENEW_SECONDS = 300.0
# The service delivers messages in any order, a few at a time, and sometimes none although there are
# some: this many pulls without an old letter are taken as the end.
_PULLS_WITHOUT_OLD = 10
_EMPTY_PULLS = 3

Batch = Sequence[tuple[str, ReplayCandidate | None]]


class CandidateSource(Protocol):
    """A bounded pass over dead letters.

    Attributes:
        total: how many there are; None if unknown.
        resume: how to continue after an interruption, for the user.
    """

    total: int | None
    resume: str

    def __iter__(self) -> Iterator[Batch]:
        """Yields batches of (key, letter); the letter is None if it is not one of ours."""

    def replayed(self, keys: Sequence[str]) -> None:
        """Called when the topic has accepted the letters of these keys."""


class SubscriptionCandidates:
    """The letters that were on the topic when the pass began; a context manager.

    A letter is acknowledged when it is replayed. Every other is leased until the end, so that it is
    not delivered repeatedly, and then released.
    """

    total: int | None = None
    resume = "run it again"

    def __init__(self, client: SubscriberClient, subscription: str) -> None:
        self._client = client
        self._subscription = subscription
        self._held: dict[str, str] = {}  # ack id by message id
        self._renewed_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._set_lease(self._held.values(), 0)

    def __iter__(self) -> Iterator[Batch]:
        """Yields batches of letters from before the pass, each letter once."""
        began, pulls_without_old, empty_pulls = dt.datetime.now(dt.UTC), 0, 0
        seen: set[str] = set()
        while pulls_without_old < _PULLS_WITHOUT_OLD and empty_pulls < _EMPTY_PULLS:
            received = self._pull()
            empty_pulls = 0 if received else empty_pulls + 1
            self._held |= {r.message.message_id: r.ack_id for r in received}
            self._set_lease((r.ack_id for r in received), _LEASE_SECONDS)
            old = [
                r
                for r in received
                if r.message.message_id not in seen and r.message.publish_time < began
            ]
            seen |= {r.message.message_id for r in old}
            pulls_without_old = 0 if old else pulls_without_old + 1
            yield [(r.message.message_id, _letter(r)) for r in old]
            self._renew()

    def replayed(self, keys: Sequence[str]) -> None:
        """Acknowledges the letters of these keys."""
        ack_ids = [self._held.pop(key) for key in keys]
        if ack_ids:
            self._client.acknowledge(subscription=self._subscription, ack_ids=ack_ids)

    def _pull(self) -> Sequence[ReceivedMessage]:
        try:
            received: Sequence[ReceivedMessage] = self._client.pull(
                subscription=self._subscription, max_messages=_BATCH, timeout=_PULL_SECONDS
            ).received_messages
        except DeadlineExceeded:
            return []
        return received

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_at > _RENEW_SECONDS:
            self._set_lease(self._held.values(), _LEASE_SECONDS)
            self._renewed_at = time.monotonic()

    def _set_lease(self, ack_ids: Iterable[str], seconds: int) -> None:
        rest = list(ack_ids)
        for place in range(0, len(rest), _BATCH):
            self._client.modify_ack_deadline(
                subscription=self._subscription,
                ack_ids=rest[place : place + _BATCH],
                ack_deadline_seconds=seconds,
            )


class TableCandidates:
    """The letters of the table ``dead_letters``, the oldest first; the table is not changed."""

    def __init__(
        self,
        client: bigquery.Client,
        dataset: Dataset,
        families: Sequence[EventFamily],
        selection: Selection,
    ) -> None:
        """Runs the query; raises the client's errors."""
        sql = statement(dataset, families)
        job = queries.start_query(client, sql, parameters(families, selection))
        self._rows = job.result(page_size=_BATCH, **queries.CALL)
        self.total: int | None = self._rows.total_rows
        self.resume = "run it again"

    def __iter__(self) -> Iterator[Batch]:
        """Yields batches of letters."""
        for page in self._rows.pages:
            letters = [ReplayCandidate.of_row(row) for row in page]
            if letters:
                self.resume = f"go on with --start {letters[0].failed_at.isoformat()}"
            yield [(letter.message_id, letter) for letter in letters]

    def replayed(self, keys: Sequence[str]) -> None:
        """Does nothing: a letter stays in the table, and remains true."""


def statement(dataset: Dataset, families: Sequence[EventFamily]) -> str:
    """The query over the dead letters of these families; see ``parameters``."""
    facts = fact_tables.rows(dataset, families, "event_id")
    return dataset.statement(__package__, "dead_letters.sql", facts=facts)


def parameters(
    families: Sequence[EventFamily], selection: Selection
) -> list[bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter]:
    """The query parameters."""
    return [
        bigquery.ArrayQueryParameter("event_families", "STRING", [f.name for f in families]),
        bigquery.ArrayQueryParameter("error_kinds", "STRING", sorted(selection.kinds)),
        bigquery.ScalarQueryParameter("first_date", "DATE", selection.start.date()),
        bigquery.ScalarQueryParameter("start", "TIMESTAMP", selection.start),
        bigquery.ScalarQueryParameter("end", "TIMESTAMP", selection.end),
    ]


def _letter(received: ReceivedMessage) -> ReplayCandidate | None:
    try:
        return ReplayCandidate.of_message(received.message)
    except ValueError:
        return None
