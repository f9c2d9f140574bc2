"""The exam event as a pydantic model, to measure ours against."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas.exam_event.event import EventType

_Identifier = Annotated[str, Field(min_length=1, max_length=128)]
_Flag = bool | Literal[0, 1]


class PydanticEvent(pydantic.BaseModel):
    """Types and bounds of ``schemas.exam_event.ExamEvent``; unknown fields are kept."""

    model_config = pydantic.ConfigDict(extra="allow")

    event_id: _Identifier
    event_type: EventType
    test_id: _Identifier
    student_id: _Identifier
    session_id: _Identifier
    client_ts: pydantic.AwareDatetime
    question_id: _Identifier | None = None
    answer: Annotated[str, Field(max_length=8_192)] | None = None
    is_correct_answer: _Flag | None = None
    attempt_no: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    session_start_ts: pydantic.AwareDatetime | None = None
    session_expiry_ts: pydantic.AwareDatetime | None = None
    session_duration_seconds: Annotated[int, Field(ge=1, le=604_800)] | None = None
    is_late_submission: _Flag | None = None
    error_payload: dict[str, Any] | None = None
