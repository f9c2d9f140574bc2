"""Rules of exam events beyond types (DESIGN 2): each raises ContractError if it is broken."""

import datetime as dt

from schemas.errors import ContractError, ErrorKind
from schemas.exam_event.event import EventType, ExamEvent

_SESSION_TIMES_FROM = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SESSION_TIMES_BEFORE = dt.datetime(2101, 1, 1, tzinfo=dt.UTC)
_ANSWERS = frozenset({EventType.ANSWER_SUBMIT, EventType.ANSWER_RESUBMIT, EventType.ANSWER})


def session_times_in_range(event: ExamEvent) -> None:
    """session_start_ts and session_expiry_ts lie within 1970..2100."""
    for name in ("session_start_ts", "session_expiry_ts"):
        value: dt.datetime | None = getattr(event, name)
        if value is not None and not _SESSION_TIMES_FROM <= value < _SESSION_TIMES_BEFORE:
            raise ContractError(
                ErrorKind.SCHEMA_VIOLATION, f"{name} must lie within 1970 to 2100", name
            )


def expiry_after_start(event: ExamEvent) -> None:
    """session_expiry_ts comes after session_start_ts where an event carries both."""
    start, expiry = event.session_start_ts, event.session_expiry_ts
    if start is not None and expiry is not None and expiry <= start:
        raise ContractError(
            ErrorKind.RULE_VIOLATION,
            "session_expiry_ts must come after session_start_ts",
            "session_expiry_ts",
        )


def answers_name_their_question(event: ExamEvent) -> None:
    """answer_submit, answer_resubmit and answer carry a question_id."""
    if event.event_type in _ANSWERS and event.question_id is None:
        raise ContractError(
            ErrorKind.RULE_VIOLATION,
            f"question_id is required for {event.event_type}",
            "question_id",
        )
