"""What a row of the operational database says, as payloads of event families.

Pull and capture share these functions: a row gives the same event_id either way.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pipeline.sources.postgres import values
from pipeline.sources.postgres.mapping import DIMENSIONS, SourceTable
from schemas.message import Message

EXAM_EVENT, SESSION_CHANGE, DIMENSION_CHANGE = "exam_event", "session_change", "dimension_change"
FAMILY_ATTRIBUTE = "event_family"

# What says what happened, in the order of its hash: never a session's expiry, which may move.
_SAYS = {
    "answers": (
        "student_id",
        "question_id",
        "test_id",
        "session_id",
        "submitted_option",
        "timestamp",
    ),
    "submissions": ("student_id", "test_id", "submit_time", "completion_status"),
    "sessions": ("student_id", "test_id", "start_time"),
}
_TIMES = frozenset({"timestamp", "submit_time", "start_time", "expiry_time"})
_START_COLUMNS = frozenset(_SAYS["sessions"])

_encode = msgspec.json.Encoder().encode


class SourceRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row, each value as PostgreSQL writes it.

    Attributes:
        table: its documented name.
        key: of the primary key.
        values: the mapped columns under our names.
        joined: what the message needs of other tables: ``correct_option`` and ``expiry_time`` of an
            answer; ``session_id`` and ``expiry_time`` of a submission.
        transaction: id of the transaction that wrote the row (its xmin).
        committed: when that one committed, in UTC; None where the database does not track it.
        position: of the change within its transaction, from 0; None where that is not known.
    """

    table: str
    key: tuple[str, ...]
    values: dict[str, str | None]
    transaction: str
    joined: dict[str, str | None] = {}
    committed: str | None = None
    position: int | None = None


class SourceEvent(msgspec.Struct, frozen=True, gc=False):
    """A message before it has an id and a publish time.

    Attributes:
        family: name of its event family.
        version: ``{table}:{k}@{transaction}:{h}``, different for each version of a row.
        payload: JSON.
    """

    family: str
    version: str
    payload: bytes


@dataclasses.dataclass(frozen=True)
class RowMapper:
    """Makes the events of rows.

    Attributes:
        tables: as the database has them, by their documented names.
        families: the names of those that are wanted.
        time_zone: of times without an offset.
        key: of pseudonyms, or None.
    """

    tables: Mapping[str, SourceTable]
    families: frozenset[str]
    time_zone: str | None = None
    key: bytes | None = dataclasses.field(default=None, repr=False)

    def events(self, row: SourceRow, read_at: dt.datetime) -> Iterator[SourceEvent]:
        """The events of a row that was inserted or updated.

        Args:
            row: as it is now.
            read_at: stands for the commit time where that is not known; UTC.
        """
        if row.table in DIMENSIONS:
            if DIMENSION_CHANGE in self.families:
                yield self._dimension(row, read_at)
            return
        if EXAM_EVENT in self.families and (fields := self._exam_fields(row)):
            says = [self._canonical(name, row.values.get(name)) for name in _SAYS[row.table]]
            h = values.digest(says, self.key)
            event = {"event_id": f"{row.table}:{self.k(row.key)}:{h}"} | fields
            yield self._event(EXAM_EVENT, row, h, event)
        if SESSION_CHANGE in self.families and row.table == "sessions":
            yield from self._session_change(row, read_at)

    def dimension_delete(
        self,
        table: str,
        key: str,
        transaction: str,
        deleted_at: dt.datetime,
        position: int | None = None,
    ) -> SourceEvent:
        """The event of a dimension's row that is gone; ``transaction`` as known to the caller."""
        version = f"{table}:{self.k([key])}@{transaction}:deleted"
        event = {
            "event_type": DIMENSION_CHANGE,
            "event_id": version,
            "dimension": DIMENSIONS[table],
            "key": key,
            "op": "delete",
            "version_ts": values.format_time(deleted_at),
            "position": position,
        }
        return SourceEvent(DIMENSION_CHANGE, version, _payload(event))

    def session_delete(
        self,
        session: str,
        transaction: str,
        deleted_at: dt.datetime,
        position: int,
        expiry: str | None,
    ) -> SourceEvent:
        """The event of a session that is gone; ``expiry`` as it was, or None where unknown."""
        version = f"session_changes:{self.k([session])}@{transaction}:deleted"
        event = {
            "event_type": SESSION_CHANGE,
            "event_id": version,
            "session_id": session,
            "expiry_ts": self._time(expiry) or values.format_time(deleted_at),
            "op": "delete",
            "version_ts": values.format_time(deleted_at),
            "position": position,
        }
        return SourceEvent(SESSION_CHANGE, version, _payload(event))

    def k(self, key: Sequence[str]) -> str:
        """16 hex digits for a primary key."""
        return values.digest(key, self.key)

    def _exam_fields(self, row: SourceRow) -> dict[str, Any] | None:
        own, joined, time = row.values, row.joined, self._time
        who = {"test_id": own.get("test_id"), "student_id": own.get("student_id")}
        if row.table == "answers":
            given, right = own["submitted_option"], joined.get("correct_option")
            graded = None if given is None or right is None else given == right
            return who | {
                "event_type": "answer",
                "session_id": own["session_id"],
                "client_ts": time(own["timestamp"]),
                "question_id": own["question_id"],
                "answer": given,
                "is_correct_answer": graded,
                "session_expiry_ts": time(joined.get("expiry_time")),
            }
        if row.table == "submissions":
            return who | {
                "event_type": "test_submit",
                "session_id": joined.get("session_id") or f"none:{self.k(row.key)}",
                "client_ts": time(own["submit_time"]),
                "session_expiry_ts": time(joined.get("expiry_time")),
                "completion_status": own["completion_status"],
            }
        if any(own.get(name) is None for name in _START_COLUMNS):
            return None  # a session that has not begun, or a table that does not say so
        return who | {
            "event_type": "session_start",
            "session_id": row.key[0],
            "client_ts": time(own["start_time"]),
            "session_expiry_ts": time(own["expiry_time"]),
        }

    def _session_change(self, row: SourceRow, read_at: dt.datetime) -> Iterator[SourceEvent]:
        expiry = row.values["expiry_time"]
        if expiry is None:
            return  # no deadline to go by, and no date to store it under
        h = values.digest([self._canonical("expiry_time", expiry)], self.key)
        event = {
            "event_type": SESSION_CHANGE,
            "event_id": f"session_changes:{self.k(row.key)}@{row.transaction}:{h}",
            "session_id": row.key[0],
            "expiry_ts": self._time(expiry),
            "op": "upsert",
            "version_ts": _version_time(row, read_at),
            "position": row.position,
        }
        yield self._event(SESSION_CHANGE, row, h, event, "session_changes")

    def _dimension(self, row: SourceRow, read_at: dt.datetime) -> SourceEvent:
        private = self.tables[row.table].private
        names = sorted(row.values)
        h = values.digest((row.values[name] for name in names), self.key)
        hidden = {name: row.values[name] for name in names if name in private}
        event = {
            "event_type": DIMENSION_CHANGE,
            "event_id": f"{row.table}:{self.k(row.key)}@{row.transaction}:{h}",
            "dimension": DIMENSIONS[row.table],
            "key": row.key[0],
            "op": "upsert",
            "row": {name: row.values[name] for name in names if name not in private},
            "private_row": hidden or None,
            "row_hash": h,
            "version_ts": _version_time(row, read_at),
            "position": row.position,
        }
        return self._event(DIMENSION_CHANGE, row, h, event)

    def _event(
        self, family: str, row: SourceRow, h: str, event: dict[str, Any], table: str | None = None
    ) -> SourceEvent:
        version = f"{table or row.table}:{self.k(row.key)}@{row.transaction}:{h}"
        return SourceEvent(family, version, _payload(event))

    def _time(self, text: str | None) -> str | None:
        return values.rfc3339(text, self.time_zone)

    def _canonical(self, name: str, text: str | None) -> str | None:
        return values.canonical_time(text, self.time_zone) if name in _TIMES else text


def _payload(event: dict[str, Any]) -> bytes:
    """JSON without nulls: of a dimension's row, they are kept."""
    return _encode({name: value for name, value in event.items() if value is not None})


def _version_time(row: SourceRow, read_at: dt.datetime) -> str | None:
    return values.rfc3339(row.committed, None) or values.format_time(read_at)


def pulled_message(event: SourceEvent, publish_time: dt.datetime, source: str) -> Message:
    """The message of an event that a pull read; its id is the same whenever it is read again."""
    return Message(
        payload=event.payload,
        message_id=f"pg:{event.version}",
        publish_time=publish_time,
        source=source,
        attributes={FAMILY_ATTRIBUTE: event.family},
    )
