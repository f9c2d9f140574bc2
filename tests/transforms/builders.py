"""Valid things to start from: each builder takes only what a test is about."""

import datetime as dt
import json
from typing import Any

from schemas.dead_letter import DeadLetter
from schemas.errors import ContractError, ErrorKind, Rejection
from schemas.event_time import EventTimeBounds
from schemas.exam_event.event import EventType, ExamEvent, ValidExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.lateness import LatenessResult, LateStatus
from schemas.message import Message
from transforms.decoding.decode import Decoder
from transforms.rows import FactRows

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
BOUNDS = EventTimeBounds(max_age=dt.timedelta(days=1800), max_ahead=dt.timedelta(days=1))
DECODER = Decoder(EXAM_EVENT)
ROWS = FactRows(EXAM_EVENT, "1.2.3")
UNKNOWN = LatenessResult(late_status=LateStatus.UNKNOWN)

# What a message must hold at the least, in the contract's order.
REQUIRED = {
    "event_id": "e1",
    "event_type": "page_view",
    "test_id": "t1",
    "student_id": "s1",
    "session_id": "x1",
    "client_ts": "2026-03-02T10:00:00Z",
}


def payload(**fields: Any) -> bytes:
    """A valid message with these fields."""
    return json.dumps(REQUIRED | fields).encode()


def raw(members: str | bytes) -> bytes:
    """A valid message followed by members written by hand, such as ``"n": 1e400``."""
    text = members.encode() if isinstance(members, str) else members
    return payload()[:-1] + b", " + text + b"}"


def outcome(data: bytes) -> tuple[ExamEvent, str | None] | ContractError:
    """What the decoder gives or raises."""
    try:
        return DECODER.decode(data)
    except ContractError as error:
        return error


def event(**fields: Any) -> ExamEvent:
    defaults = REQUIRED | {"event_type": EventType.PAGE_VIEW, "client_ts": NOW}
    return ExamEvent(**(defaults | fields))


def message(data: bytes | None = None, **fields: Any) -> Message:
    defaults = {"message_id": "m1", "publish_time": NOW, "source": "projects/p/subscriptions/s"}
    return Message(payload=payload() if data is None else data, **(defaults | fields))


def accepted(extra: str | None = None, **fields: Any) -> ValidExamEvent:
    return accept(event(**fields), extra)


def accept(
    of: ExamEvent, extra: str | None = None, data: bytes = b"{}", **of_message: Any
) -> ValidExamEvent:
    """An event as a valid message of ours would have brought it."""
    return ValidExamEvent(message=message(data, **of_message), event=of, extra=extra)


def row_dict(sent: ValidExamEvent, lateness: LatenessResult = UNKNOWN) -> dict[str, Any]:
    """The row of an event, by column."""
    return dict(zip(ROWS.columns, ROWS.build(sent, lateness, NOW), strict=True))


def letter(
    of: Message | None = None,
    kind: ErrorKind = ErrorKind.NOT_JSON,
    field: str | None = None,
    text: str = "the body is empty",
    **fields: Any,
) -> DeadLetter:
    defaults = {
        "rejection": Rejection(kind, text, field),
        "stage": "ValidateEvents",
        "event_family": "exam_event",
        "failed_at": NOW,
        "pipeline_version": "1.2.3",
    }
    return DeadLetter(message=of or message(), **(defaults | fields))
