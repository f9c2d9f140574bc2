"""Version 1.1 of the exam event: the typed twin of ``v1.avsc`` (DESIGN 2)."""

import datetime as dt
import enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from schemas.contract import MAX_ID_LENGTH
from schemas.lateness import MAX_DURATION_SECONDS
from schemas.message import ValidEvent


class EventType(enum.StrEnum):
    """What happened."""

    SESSION_START = "session_start"
    SESSION_END = "session_end"
    PAGE_VIEW = "page_view"
    ANSWER_SUBMIT = "answer_submit"
    ANSWER_RESUBMIT = "answer_resubmit"
    TEST_SUBMIT = "test_submit"
    STORE_ERROR = "store_error"
    ANSWER = "answer"


# Each description completes the sentence "<field> must be ..." in a dead letter.
Identifier = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_ID_LENGTH,
        description=f"a string of 1 to {MAX_ID_LENGTH} characters",
    ),
]
Kind = Annotated[EventType, Meta(description=f"one of {', '.join(EventType)}")]
Timestamp = Annotated[
    dt.datetime, Meta(tz=True, description="an RFC 3339 timestamp with an offset or Z")
]
Answer = Annotated[str, Meta(max_length=8_192, description="a string of at most 8,192 characters")]
Flag = Annotated[bool | Literal[0, 1], Meta(description="true, false, 0 or 1")]
AttemptNo = Annotated[
    int, Meta(ge=1, le=2**31 - 1, description="an integer from 1 to 2,147,483,647")
]
DurationSeconds = Annotated[
    int,
    Meta(
        ge=1,
        le=MAX_DURATION_SECONDS,
        description=f"an integer from 1 to {MAX_DURATION_SECONDS:,} (seconds)",
    ),
]
CompletionStatus = Annotated[
    Literal["completed", "incomplete"], Meta(description="one of completed, incomplete")
]
JsonObject = Annotated[dict[str, Any], Meta(description="a JSON object")]


class ExamEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One event of a timed multiple-choice test. Field docs: ``v1.avsc``.

    ``forbid_unknown_fields`` is how the decoder learns that a message has more to say; it then
    keeps what the contract does not know beside the event.
    """

    event_id: Identifier
    event_type: Kind
    test_id: Identifier
    student_id: Identifier
    session_id: Identifier
    client_ts: Timestamp
    question_id: Identifier | None = None
    answer: Answer | None = None
    is_correct_answer: Flag | None = None
    attempt_no: AttemptNo | None = None
    session_start_ts: Timestamp | None = None
    session_expiry_ts: Timestamp | None = None
    session_duration_seconds: DurationSeconds | None = None
    is_late_submission: Flag | None = None
    error_payload: JsonObject | None = None
    completion_status: CompletionStatus | None = None


class ValidExamEvent(ValidEvent, frozen=True, kw_only=True):
    """A valid exam event."""

    event: ExamEvent
