"""What the pipeline takes in and gives up: the message and the dead letter.

The structs that every message becomes are kept from Python's garbage collector (``gc=False``): they
hold plain values and no cycles, and going through them again and again cost half of the read.
"""

import datetime as dt
from typing import Any

import msgspec

from schemas.errors import ErrorKind


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message as it was received, whatever the source.

    Attributes:
        payload: the message data, untouched.
        message_id: Pub/Sub's id, or ``<file name>:<line number>`` (nine digits) for a line.
        publish_time: when Pub/Sub took it, UTC; for a file, the start of the run.
        attributes: Pub/Sub attributes as sent.
        source: subscription path or file name.
        size: bytes of the message where ``payload`` holds only its beginning (a line longer
            than Pub/Sub's limit), else None.
    """

    payload: bytes
    message_id: str
    publish_time: dt.datetime
    source: str
    attributes: dict[str, str] = {}
    size: int | None = None


class DeadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the dead letter of a valid event keeps of it, since it is no fact.

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
        error_kind, error_message, error_field: what is wrong, in words for the app's developer.
        stage: the step of the graph that gave it up.
        event_family: name of the family that was read.
        event_id: where it could be read.
        failed_at: UTC.
        replay_count: how often this message has been replayed before.
        event: set for a valid event of a type that is a dead letter, such as store_error.
    """

    message: Message
    error_kind: ErrorKind
    error_message: str
    stage: str
    event_family: str
    failed_at: dt.datetime
    pipeline_version: str
    error_field: str | None = None
    event_id: str | None = None
    replay_count: int = 0
    event: DeadEvent | None = None


class Accepted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A valid event and the message it came in. Each family narrows the type of ``event``.

    Attributes:
        message: as received, so that whatever fails later can be told as a dead letter.
        event: the decoded event, a struct of the family.
        extra: fields that the contract does not know, as a JSON object with sorted keys, or None.
    """

    message: Message
    event: Any
    extra: str | None
