"""Dead letters: built from a message, published to a topic, written to a table (DESIGN 4)."""

import datetime as dt
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas import metrics
from schemas.dead_letter import DeadEvent, DeadLetter
from schemas.errors import ErrorKind, Rejection
from schemas.family import EventFamily
from schemas.message import Message, ValidEvent
from transforms.decoding.decode import event_id_of
from transforms.rows import Row, json_text, timestamp

# Pub/Sub's quotas. The service enforces them, the emulator does not.
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
RESERVED_PREFIX = "goog"
MAX_MESSAGE_BYTES = 10_000_000
# Reserved for the topic name and the framing of a publish request.
_FRAMING_BYTES = 20_000

MAX_STORED_PAYLOAD_BYTES = 1024 * 1024
REPLAY_COUNT = "replay_count"
# The message that was replayed first: what its replays have in common.
REPLAY_OF = "replay_of"
PAYLOAD_TRUNCATED = "payload_truncated"
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
        "event_family",
        "contract_version",
        REPLAY_COUNT,
        PAYLOAD_TRUNCATED,
    }
)
# On the topic, before an attribute of the sender's that is named like one of ours, or that begins
# like an attribute which was renamed in this way: so each name can be given back.
SENDER_PREFIX = "sender_"
_RENAMED = re.compile(f"(?:{SENDER_PREFIX})*(?:{'|'.join(sorted(OWN_ATTRIBUTES))})")


class DeadLetterFactory:
    """Builds dead letters of one family, or of none, with the pipeline's version."""

    def __init__(self, family: EventFamily | None, pipeline_version: str) -> None:
        self._family = family
        self._version = pipeline_version

    def of_error(
        self, message: Message, rejection: Rejection, stage: str, failed_at: dt.datetime
    ) -> DeadLetter:
        """The dead letter of a message that cannot become a fact."""
        event_id = event_id_of(message.payload)
        return self._letter(message, rejection, stage, failed_at, event_id)

    def of_event(
        self, message: Message, valid: ValidEvent, stage: str, failed_at: dt.datetime
    ) -> DeadLetter:
        """The dead letter of a valid event whose type is not stored as a fact."""
        assert self._family is not None  # noqa: S101 - an event has a family
        event = valid.event
        rejection = Rejection(
            self._family.dead_letter_types[event.event_type],
            f"events of type {event.event_type} are kept as dead letters",
        )
        kept = DeadEvent(
            **{name: getattr(event, name, None) for name in DeadEvent.__struct_fields__}
        )
        return self._letter(message, rejection, stage, failed_at, event.event_id, kept)

    def _letter(
        self,
        message: Message,
        rejection: Rejection,
        stage: str,
        failed_at: dt.datetime,
        event_id: str | None,
        event: DeadEvent | None = None,
    ) -> DeadLetter:
        return DeadLetter(
            message=message,
            rejection=rejection,
            stage=stage,
            failed_at=failed_at,
            event_family=self._family.name if self._family else None,
            contract_version=self._family.version if self._family else None,
            pipeline_version=self._version,
            replay_count=_replay_count(message.attributes),
            event_id=event_id,
            event=event,
        )


def to_pubsub(letter: DeadLetter) -> tuple[bytes, dict[str, str]]:
    """The data and the attributes to publish, within Pub/Sub's limits.

    Original attributes named like ours get a prefix (``senders_attributes`` removes it).
    If the message would be too large, the original attributes are dropped first; then the data is
    cut and ``payload_truncated`` is set.
    """
    ours = _own_attributes(letter)
    if letter.message.size is not None:
        ours[PAYLOAD_TRUNCATED] = "true"
    data = letter.message.payload
    room = MAX_MESSAGE_BYTES - _FRAMING_BYTES - _size(ours)
    theirs = _original_attributes(letter.message.attributes)
    if len(data) + _size(theirs) > room:
        theirs = {key: value for key, value in theirs.items() if key == REPLAY_OF}
        room -= _size(theirs)
    if len(data) > room:
        data = data[:room]
        ours[PAYLOAD_TRUNCATED] = "true"
    return data, theirs | ours


def senders_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """The original attributes among those of a dead letter on the topic, under their own names."""
    return {
        key.removeprefix(SENDER_PREFIX) if _RENAMED.fullmatch(key) else key: value
        for key, value in attributes.items()
        if key not in OWN_ATTRIBUTES
    }


def id_attribute(message_id: str) -> str:
    """A message id cut to the length of an attribute: a long path keeps its end, the line."""
    return message_id.encode()[-MAX_VALUE_BYTES:].decode(errors="ignore")


class DeadLetterRow(NamedTuple):
    """One row of the table ``dead_letters``."""

    failed_date: dt.date
    error_kind: str
    error_message: str
    error_field: str | None
    stage: str
    event_family: str | None
    event_id: str | None
    source: str
    message_id: str
    publish_time: dt.datetime
    failed_at: dt.datetime
    pipeline_version: str
    replay_count: int
    attributes: str
    payload: bytes
    payload_size: int
    payload_truncated: bool
    test_id: str | None
    student_id: str | None
    session_id: str | None
    question_id: str | None
    client_ts: dt.datetime | None
    error_payload: str | None
    contract_version: str | None


class DeadLetterRows:
    """The RowMaker of the table ``dead_letters``; it counts dead letters by kind.

    In a run of several families it counts them by family too.
    """

    columns: tuple[str, ...] = DeadLetterRow._fields

    def __init__(self, families: Sequence[str] = ()) -> None:
        self._by_family = {
            name: metrics.counter(metrics.family_counter(metrics.DEAD_LETTERS, name))
            for name in ((None, *families) if families else ())
        }
        self._counters = {
            kind: metrics.counter(metrics.error_kind_counter(kind)) for kind in ErrorKind
        }

    def row(self, element: DeadLetter) -> Row:
        """The row of one letter."""
        self._counters[element.rejection.kind].inc()
        if self._by_family:
            self._by_family[element.event_family].inc()
        return to_row(element)

    def message(self, element: DeadLetter) -> Message:
        """The message of one letter."""
        return element.message


def to_row(letter: DeadLetter) -> DeadLetterRow:
    """One row of the table ``dead_letters``."""
    message, event = letter.message, letter.event or DeadEvent()
    size = len(message.payload) if message.size is None else message.size
    return DeadLetterRow(
        failed_date=letter.failed_at.astimezone(dt.UTC).date(),
        error_kind=letter.rejection.kind.value,
        error_message=letter.rejection.message,
        error_field=letter.rejection.field,
        stage=letter.stage,
        event_family=letter.event_family,
        event_id=letter.event_id,
        source=message.source,
        message_id=message.message_id,
        publish_time=message.publish_time,
        failed_at=letter.failed_at,
        pipeline_version=letter.pipeline_version,
        replay_count=letter.replay_count,
        attributes=json_text(message.attributes),
        payload=message.payload[:MAX_STORED_PAYLOAD_BYTES],
        payload_size=size,
        payload_truncated=size > MAX_STORED_PAYLOAD_BYTES,
        test_id=event.test_id,
        student_id=event.student_id,
        session_id=event.session_id,
        question_id=event.question_id,
        client_ts=event.client_ts,
        error_payload=None if event.error_payload is None else json_text(event.error_payload),
        contract_version=letter.contract_version,
    )


def internal_error(error: BaseException) -> Rejection:
    """The rejection for a bug of ours: only its type, since its text may quote the payload."""
    return Rejection(
        ErrorKind.INTERNAL_ERROR,
        f"the pipeline failed on this message ({type(error).__name__}): please report it",
    )


def _own_attributes(letter: DeadLetter) -> dict[str, str]:
    attributes: dict[str, str | None] = {
        "error_kind": letter.rejection.kind.value,
        "error_message": letter.rejection.message,
        "error_field": letter.rejection.field,
        "stage": letter.stage,
        "event_id": letter.event_id,
        "source": letter.message.source,
        "message_id": id_attribute(letter.message.message_id),
        "publish_time": timestamp(letter.message.publish_time),
        "failed_at": timestamp(letter.failed_at),
        "pipeline_version": letter.pipeline_version,
        "event_family": letter.event_family,
        "contract_version": letter.contract_version,
        REPLAY_COUNT: str(letter.replay_count),
    }
    return {key: _cut(value) for key, value in attributes.items() if value is not None}


def _original_attributes(attributes: dict[str, str]) -> dict[str, str]:
    """As many of the sender's attributes as fit into Pub/Sub's limits, in their order.

    replay_count is left out: our own attribute carries it.
    """
    # Without it a later replay would not be known as one of the same message.
    first = {REPLAY_OF} & attributes.keys()
    renamed = (
        (SENDER_PREFIX + key if _RENAMED.fullmatch(key) else key, _cut(value))
        for key, value in sorted(attributes.items(), key=lambda item: item[0] not in first)
        if key != REPLAY_COUNT
    )
    allowed = (
        (key, value)
        for key, value in renamed
        if not key.startswith(RESERVED_PREFIX) and 0 < len(key.encode()) <= MAX_KEY_BYTES
    )
    return dict(itertools.islice(allowed, MAX_ATTRIBUTES - len(OWN_ATTRIBUTES)))


def _cut(value: str) -> str:
    """The value cut to 1,024 bytes, at a character boundary."""
    return value.encode(errors="replace")[:MAX_VALUE_BYTES].decode(errors="ignore")


def _size(attributes: dict[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items())


def _replay_count(attributes: dict[str, str]) -> int:
    text = attributes.get(REPLAY_COUNT, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
