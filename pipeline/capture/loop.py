"""The capture: read the slot, publish, and only then advance it."""

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Iterator, Sequence

import psycopg
from google.cloud.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage
from psycopg import errors
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from gcp.errors import SERVICE_ERRORS
from gcp.errors import explain as explain_service
from gcp.retry import is_outage
from pipeline.capture import lookups
from pipeline.capture.changes import Change, Changed, Changes, Deleted, Place, Truncated
from pipeline.capture.health import Health
from pipeline.capture.pgoutput import Relation, decode
from pipeline.capture.publishing import publish
from pipeline.capture.slot import Slot, TableId, lsn_text, position
from pipeline.sources.postgres.engine import explain, is_unreachable, place, snapshot
from pipeline.sources.postgres.input import PostgresInput, SourceError
from pipeline.sources.postgres.mapping import DIMENSIONS
from pipeline.sources.postgres.messages import (
    DIMENSION_CHANGE,
    FAMILY_ATTRIBUTE,
    SESSION_CHANGE,
    RowMapper,
    SourceEvent,
)
from pipeline.sources.postgres.queries import Queries
from pipeline.sources.postgres.tables import find_tables

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0
# After so many messages of the slot, the server begins no further transaction.
_PEEKED = 10_000
_BATCH_CHANGES, _BATCH_BYTES = 2_000, 8_000_000
_BEFORE_ALL: Place = (0, -1)


class _StopError(Exception):
    """The loop was asked to end."""


class Capture:
    """One slot, one topic. Everything that it remembers is in the slot: it can die at any time."""

    def __init__(
        self,
        engine: Engine,
        source: PostgresInput,
        slot: Slot,
        publisher: PublisherClient,
        topic: str,
        health: Health,
        stop: threading.Event,
    ) -> None:
        """Takes what to read and where to publish; ``stop`` ends ``run``."""
        self._engine, self._source, self._slot = engine, source, slot
        self._publisher, self._topic = publisher, topic
        self._health, self._stop = health, stop
        key = source.pseudonym_key() if source.pseudonym_key is not None else None
        self._mapper = RowMapper(
            source.mapping.tables, source.families, source.mapping.time_zone, key
        )
        self._names: dict[TableId, str] = {}
        self._queries: Queries | None = None
        self._relations: dict[int, Relation] = {}
        # A pass that failed is read again from its start; what was published before is not sent
        # again, unless the process has died.
        self._done = _BEFORE_ALL

    def run(self, poll_seconds: float) -> None:
        """Captures until it is asked to stop; waits for what is unreachable.

        Raises:
            SourceError: the database refuses, or the slot is gone.
        """
        pause = _FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                is_behind = self.read()
            except _StopError:
                return
            except (psycopg.Error, DBAPIError) as error:
                fault = self._database_fault(error)
            except SERVICE_ERRORS as error:
                if not is_outage(error):
                    raise
                fault = explain_service(error)
            else:
                pause = _FIRST_PAUSE_SECONDS
                self._health.alive()
                if not is_behind:
                    self._stop.wait(poll_seconds)
                continue
            self._health.waits_for(fault)
            _LOG.warning("%s: waiting, and the slot keeps", fault)
            self._stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def read(self) -> bool:
        """Publishes what the slot has now, and advances it; returns whether there is more."""
        if self._queries is None:
            self._prepare()
        up_to, read = position(self._engine), 0
        changes = Changes(self._names, self._source.mapping.tables)
        batch: list[Change] = []
        size = 0
        with contextlib.closing(self._slot.peek(self._engine, up_to, _PEEKED)) as messages:
            for read, data in enumerate(messages, start=1):  # noqa: B007
                try:
                    found = list(changes.of(decode(data)))
                except SourceError:
                    # A start with another mapping begins with what this one does not fit.
                    self._publish(batch, changes)
                    self._advance(changes)
                    raise
                if found and found[0].place > self._done:
                    batch += found
                    size += len(data)
                if len(batch) >= _BATCH_CHANGES or size >= _BATCH_BYTES:
                    self._publish(batch, changes)
                    batch, size = [], 0
        self._publish(batch, changes)
        if read >= _PEEKED:
            self._advance(changes)
            return True
        self._slot.advance(self._engine, up_to)
        return False

    def _advance(self, changes: Changes) -> None:
        """Gives up the transactions that came whole."""
        if changes.committed_lsn is not None:
            self._slot.advance(self._engine, lsn_text(changes.committed_lsn))

    def _prepare(self) -> None:
        with snapshot(self._engine) as connection:
            found = find_tables(connection, self._source.mapping)
        self._names = self._slot.prepare(self._engine, found, self._source.tables())
        self._queries = Queries(found, self._source.mapping.time_zone, commit_times=False)

    def _publish(self, batch: Sequence[Change], changes: Changes) -> None:
        if self._stop.is_set():
            raise _StopError
        if changes.relations.items() - self._relations.items():
            # A table that is new here or has changed: whether it can be read is asked anew.
            self._prepare()
            self._relations |= changes.relations
        if not batch:
            return
        assert self._queries is not None  # noqa: S101 - read() made sure of it
        upserts = [change for change in batch if isinstance(change, Changed)]
        rows = lookups.complete(self._engine, self._queries, upserts)
        self._health.left_out(gone=len(upserts) - len(rows))
        read_at = dt.datetime.now(dt.UTC)
        events = [event for row in rows for event in self._mapper.events(row, read_at)]
        events += [event for change in batch for event in self._rest(change)]
        messages = [
            PubsubMessage(data=event.payload, attributes={FAMILY_ATTRIBUTE: event.family})
            for event in events
        ]
        too_large = publish(self._publisher, self._topic, messages)
        if too_large:
            _LOG.error("%d messages are larger than Pub/Sub accepts, and are left out", too_large)
        self._done = batch[-1].place
        self._health.published(len(messages), too_large, batch[0].committed)
        for change in batch:
            self._health.changed(change.table, change.kind)

    def _rest(self, change: Change) -> Iterator[SourceEvent]:
        """The events of deleted rows: facts stay, dimensions and sessions get a tombstone."""
        if isinstance(change, Truncated):
            _LOG.warning("table %s was truncated: what it had stays in BigQuery", change.table)
        if not isinstance(change, Deleted):
            return
        family = DIMENSION_CHANGE if change.table in DIMENSIONS else SESSION_CHANGE
        if change.table not in (*DIMENSIONS, "sessions") or family not in self._source.families:
            return
        if change.key is None:
            _LOG.warning("a row of %s was deleted, and came without its key", change.table)
            self._health.left_out(keyless=1)
            return
        [key], position = change.key, change.place[1]
        when = change.transaction, change.committed, position
        if family == DIMENSION_CHANGE:
            yield self._mapper.dimension_delete(change.table, key, *when)
        else:
            yield self._mapper.session_delete(key, *when, change.values.get("expiry_time"))

    def _database_fault(self, error: psycopg.Error | DBAPIError) -> str:
        """What to wait for.

        Raises:
            SourceError: waiting does not help.
        """
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, errors.ObjectInUse):
            return f"slot {self._slot.name} is in use by another process"
        if is_unreachable(self._engine, error):
            return f"{place(self._engine)} does not answer"
        if isinstance(cause, errors.UndefinedObject | errors.ObjectNotInPrerequisiteState):
            # Says so where the slot is gone or lost, or the publication gone.
            with contextlib.suppress(psycopg.Error, DBAPIError):
                self._prepare()
        raise SourceError(explain(error)) from None
