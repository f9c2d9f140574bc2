"""The pipeline's input, and what a valid message becomes.

The structs that every message becomes are kept from Python's garbage collector (``gc=False``): they
hold plain values and no cycles, and traversing them again and again took half of the read's time.
"""

import datetime as dt
from typing import Any

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message as it was received, whatever the source.

    Attributes:
        payload: the message data, untouched.
        message_id: Pub/Sub's id, or ``<URI or absolute path>:<line number>`` (nine digits)
            for a line.
        publish_time: when Pub/Sub took it, UTC; for a file, the start of the run.
        attributes: Pub/Sub attributes as sent.
        source: subscription path, or URI or path of the file.
        size: bytes of the message where ``payload`` holds only its beginning (a line longer
            than Pub/Sub's limit), else None.
    """

    payload: bytes
    message_id: str
    publish_time: dt.datetime
    source: str
    attributes: dict[str, str] = {}
    size: int | None = None


class ValidEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A valid event and the message it came in. Each family narrows the type of ``event``.

    Attributes:
        message: as received, so that a later failure can become a dead letter.
        event: the decoded event, a struct of the family.
        extra: fields that the contract does not know, as a JSON object with sorted keys, or None.
    """

    message: Message
    event: Any
    extra: str | None
