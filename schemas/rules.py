"""Rules beyond types (DESIGN 2): each takes an event and raises ContractError if it is broken."""

import dataclasses
import datetime as dt

from schemas.errors import ContractError, ErrorKind
from schemas.exam_event import EventType, ExamEvent

_SESSION_TIMES_FROM = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SESSION_TIMES_BEFORE = dt.datetime(2101, 1, 1, tzinfo=dt.UTC)
_ANSWERS = frozenset({EventType.ANSWER_SUBMIT, EventType.ANSWER_RESUBMIT})


@dataclasses.dataclass(frozen=True)
class EventTimeBounds:
    """How far event time may lie before and after a reference time."""

    max_age: dt.timedelta
    max_ahead: dt.timedelta

    def check(self, client_ts: dt.datetime, reference: dt.datetime, reference_name: str) -> None:
        """Raises ContractError (rule_violation) where client_ts lies outside.

        BigQuery takes streamed rows of a partitioned table only for dates near today's.
        """
        # Compared as a difference: a clock in year 1 cannot be shifted, only measured.
        lag = reference - client_ts
        if lag > self.max_age:
            raise ContractError(
                ErrorKind.RULE_VIOLATION,
                f"client_ts lies more than {self.max_age.days} days before {reference_name}: "
                "check the clock of the device",
                "client_ts",
            )
        if -lag > self.max_ahead:
            raise ContractError(
                ErrorKind.RULE_VIOLATION,
                f"client_ts lies more than {self.max_ahead.days} days after {reference_name}: "
                "check the clock of the device",
                "client_ts",
            )


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
    """answer_submit and answer_resubmit carry a question_id."""
    if event.event_type in _ANSWERS and event.question_id is None:
        raise ContractError(
            ErrorKind.RULE_VIOLATION,
            f"question_id is required for {event.event_type}",
            "question_id",
        )
