"""Dead letters: made from a message, told to a topic, written to a table (DESIGN 4)."""

import base64
import datetime as dt
import itertools
from typing import Any, TypeAlias

import msgspec
from msgspec.inspect import DictType

from schemas.errors import ContractError, ErrorKind
from schemas.families import EventFamily
from schemas.message import Accepted, DeadEvent, DeadLetter, Message
from schemas.shapes import shapes_of
from transforms.decode import event_id_of
from transforms.rows import json_text, timestamp

# Pub/Sub's quotas. The emulator does not hold anyone to them; the service does.
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
RESERVED_PREFIX = "goog"
MAX_MESSAGE_BYTES = 10_000_000
# Left for the topic name and the framing of a publish request.
_FRAMING_BYTES = 20_000

MAX_STORED_PAYLOAD_BYTES = 1024 * 1024
REPLAY_COUNT = "replay_count"
PAYLOAD_TRUNCATED = "payload_truncated"
PAYLOAD_REBUILT = "payload_rebuilt"
OWN_ATTRIBUTES = frozenset(
    {
        "error_kind",
        "error_message",
        "error_field",
        "stage",
        "event_id",
        "source",
        "message_id",
        "publish_time",
        "failed_at",
        "pipeline_version",
        REPLAY_COUNT,
        PAYLOAD_TRUNCATED,
        PAYLOAD_REBUILT,
    }
)


# What a sink says of a row: BigQuery's list of errors, or Beam's text where the row is too large
# to be sent at all.
RowErrors: TypeAlias = list[dict[str, Any]] | str


class DeadLetters:
    """Makes the dead letters of one pipeline.

    Attributes are the same for all of them: family and pipeline version.
    """

    def __init__(self, family: EventFamily, pipeline_version: str) -> None:
        self._family = family
        self._version = pipeline_version

    def of_error(
        self, message: Message, error: ContractError, stage: str, failed_at: dt.datetime
    ) -> DeadLetter:
        """The dead letter of a message that broke the contract, or that we could not handle."""
        return self._letter(
            message,
            stage,
            failed_at,
            error_kind=error.kind,
            error_message=str(error),
            error_field=error.field,
            event_id=event_id_of(message.payload),
        )

    def of_event(
        self, message: Message, accepted: Accepted, stage: str, failed_at: dt.datetime
    ) -> DeadLetter:
        """The dead letter of a valid event whose type is no fact."""
        event = accepted.event
        return self._letter(
            message,
            stage,
            failed_at,
            error_kind=self._family.dead_letter_types[event.event_type],
            error_message=f"events of type {event.event_type} are kept as dead letters",
            event_id=event.event_id,
            event=DeadEvent(
                **{name: getattr(event, name, None) for name in DeadEvent.__struct_fields__}
            ),
        )

    def of_bug(
        self, accepted: Accepted, error: Exception, source: str, stage: str, failed_at: dt.datetime
    ) -> DeadLetter:
        """The dead letter of an event that a step of ours failed on."""
        fields = msgspec.to_builtins(accepted.event)
        return self._letter(
            Message(
                payload=_rebuilt(fields, accepted.extra),
                message_id=accepted.message_id,
                publish_time=accepted.publish_time,
                source=source,
            ),
            stage,
            failed_at,
            error_kind=ErrorKind.INTERNAL_ERROR,
            error_message=internal_error_text(error),
            event_id=accepted.event.event_id,
            payload_rebuilt=True,
        )

    def of_rejected_row(
        self,
        row: dict[str, Any],
        errors: RowErrors,
        source: str,
        stage: str,
        failed_at: dt.datetime,
    ) -> DeadLetter:
        """The dead letter of a row that BigQuery refused, with the first reason it gives."""
        first = first_error(errors)
        fields = {
            name: msgspec.Raw(value.encode()) if DictType in shape.kinds else value
            for name, shape in shapes_of(self._family.event).items()
            if (value := row[self._family.renamed.get(name, name)]) is not None
        }
        return self._letter(
            Message(
                payload=_rebuilt(fields, row["extra"]),
                message_id=row["message_id"],
                publish_time=dt.datetime.fromisoformat(row["publish_ts"]),
                source=source,
            ),
            stage,
            failed_at,
            error_kind=ErrorKind.REJECTED_BY_WAREHOUSE,
            error_message=f"{first.get('reason')}: {first.get('message')}",
            error_field=first.get("location") or None,
            event_id=row["event_id"],
            payload_rebuilt=True,
        )

    def _letter(
        self, message: Message, stage: str, failed_at: dt.datetime, **details: Any
    ) -> DeadLetter:
        return DeadLetter(
            message=message,
            stage=stage,
            failed_at=failed_at,
            event_family=self._family.name,
            pipeline_version=self._version,
            replay_count=_replay_count(message.attributes),
            **details,
        )


def to_pubsub(letter: DeadLetter) -> tuple[bytes, dict[str, str]]:
    """The data and the attributes to publish, within Pub/Sub's limits.

    Our attributes win over the original ones. Where both and the data are too much for one
    message, the original attributes go first, then the data is cut and ``payload_truncated`` says
    so.
    """
    ours = _own_attributes(letter)
    if letter.message.size is not None:
        ours[PAYLOAD_TRUNCATED] = "true"
    data = letter.message.payload
    room = MAX_MESSAGE_BYTES - _FRAMING_BYTES - _size(ours)
    theirs = _original_attributes(letter.message.attributes)
    if len(data) + _size(theirs) > room:
        theirs = {}
    if len(data) > room:
        data = data[:room]
        ours[PAYLOAD_TRUNCATED] = "true"
    return data, theirs | ours


def to_row(letter: DeadLetter) -> dict[str, Any]:
    """One row of the table ``dead_letters``, as BigQuery's JSON takes it."""
    message, event = letter.message, letter.event or DeadEvent()
    size = len(message.payload) if message.size is None else message.size
    return {
        "failed_date": letter.failed_at.astimezone(dt.UTC).date().isoformat(),
        "error_kind": letter.error_kind.value,
        "error_message": letter.error_message,
        "error_field": letter.error_field,
        "stage": letter.stage,
        "event_family": letter.event_family,
        "event_id": letter.event_id,
        "source": message.source,
        "message_id": message.message_id,
        "publish_time": timestamp(message.publish_time),
        "failed_at": timestamp(letter.failed_at),
        "pipeline_version": letter.pipeline_version,
        "replay_count": letter.replay_count,
        "attributes": json_text(message.attributes),
        "payload": base64.b64encode(message.payload[:MAX_STORED_PAYLOAD_BYTES]).decode(),
        "payload_size": size,
        "payload_truncated": size > MAX_STORED_PAYLOAD_BYTES,
        "payload_rebuilt": letter.payload_rebuilt,
        "test_id": event.test_id,
        "student_id": event.student_id,
        "session_id": event.session_id,
        "question_id": event.question_id,
        "client_ts": event.client_ts and timestamp(event.client_ts),
        "error_payload": None if event.error_payload is None else json_text(event.error_payload),
    }


def first_error(errors: RowErrors) -> dict[str, Any]:
    """The first error of a row: ``reason``, ``message``, ``location``, where they are told."""
    if isinstance(errors, str):
        return {"reason": "invalid", "message": errors}
    return errors[0] if errors else {}


def internal_error_text(error: Exception) -> str:
    """What may be said of a bug of ours: its type, since its text may quote the payload."""
    return f"the pipeline failed on this message ({type(error).__name__}): please report it"


def _rebuilt(fields: dict[str, Any], extra: str | None) -> bytes:
    """An event as JSON again, unknown fields included and nulls left out."""
    unknown: dict[str, Any] = msgspec.json.decode(extra) if extra else {}
    known = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode(unknown | known)


def _own_attributes(letter: DeadLetter) -> dict[str, str]:
    told: dict[str, str | None] = {
        "error_kind": letter.error_kind.value,
        "error_message": letter.error_message,
        "error_field": letter.error_field,
        "stage": letter.stage,
        "event_id": letter.event_id,
        "source": letter.message.source,
        "message_id": letter.message.message_id,
        "publish_time": timestamp(letter.message.publish_time),
        "failed_at": timestamp(letter.failed_at),
        "pipeline_version": letter.pipeline_version,
        REPLAY_COUNT: str(letter.replay_count),
        PAYLOAD_REBUILT: "true" if letter.payload_rebuilt else None,
    }
    return {key: _cut(value) for key, value in told.items() if value is not None}


def _original_attributes(attributes: dict[str, str]) -> dict[str, str]:
    """As many of the sender's attributes as Pub/Sub lets us send on, in their order."""
    allowed = (
        (key, _cut(value))
        for key, value in attributes.items()
        if key not in OWN_ATTRIBUTES
        and not key.startswith(RESERVED_PREFIX)
        and 0 < len(key.encode()) <= MAX_KEY_BYTES
    )
    return dict(itertools.islice(allowed, MAX_ATTRIBUTES - len(OWN_ATTRIBUTES)))


def _cut(value: str) -> str:
    """The value within 1,024 bytes, never in the middle of a character."""
    return value.encode(errors="replace")[:MAX_VALUE_BYTES].decode(errors="ignore")


def _size(attributes: dict[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items())


def _replay_count(attributes: dict[str, str]) -> int:
    text = attributes.get(REPLAY_COUNT, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
