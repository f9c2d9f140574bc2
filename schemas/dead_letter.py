"""A message that did not become a fact, as it travels to the dead-letter topic and table."""

import datetime as dt
from typing import Any

import msgspec

from schemas.errors import Rejection
from schemas.message import Message


class DeadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the dead letter of a valid event keeps of it, since it has no fact.

    Sessions count their store errors from here (DESIGN 4). Fields are those of the event, where
    its family has them.
    """

    test_id: str | None = None
    student_id: str | None = None
    session_id: str | None = None
    question_id: str | None = None
    client_ts: dt.datetime | None = None
    error_payload: dict[str, Any] | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that did not become a fact, and why (DESIGN 4).

    Attributes:
        message: the original message.
        rejection: what is wrong, for the app's developer.
        stage: the step of the graph that rejected it.
        event_family: name of the family that was read; None where no family reads the message.
        contract_version: of that family.
        event_id: where it could be read.
        failed_at: UTC.
        replay_count: how often this message has been replayed before.
        event: set for a valid event of a type that is a dead letter, such as store_error.
    """

    message: Message
    rejection: Rejection
    stage: str
    event_family: str | None
    failed_at: dt.datetime
    pipeline_version: str
    event_id: str | None = None
    contract_version: str | None = None
    replay_count: int = 0
    event: DeadEvent | None = None
