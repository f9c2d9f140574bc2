"""Dead letters as they come back, from the topic or from the table, and which are replayed."""

import dataclasses
import datetime as dt
import enum
import itertools
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from google.pubsub_v1.types import PubsubMessage

from schemas.family import EventFamily
from transforms.dead_letters import (
    MAX_ATTRIBUTES,
    PAYLOAD_TRUNCATED,
    REPLAY_COUNT,
    REPLAY_OF,
    id_attribute,
    senders_attributes,
)
from transforms.fixes import Fix, fields_of


class Outcome(enum.StrEnum):
    """What becomes of a dead letter in a replay."""

    REPLAYED = "replayed"
    NOT_ASKED_FOR = "not asked for"
    IS_FACT = "a fact by now"
    TRUNCATED = "payload truncated"
    MAX_REPLAYS = "at --max_replays"
    NOT_MENDED = "not changed by the fix"
    REFUSED = "refused by Pub/Sub"


@dataclasses.dataclass(frozen=True)
class ReplayCandidate:
    """What a replay needs to know of a dead letter.

    Attributes:
        payload: the message data.
        attributes: the original ones.
        message_id: of the original message.
        error_kind, error_field, stage, event_id, failed_at, replay_count: as in the table.
        truncated: whether the payload is only the beginning of it.
        is_fact: whether the event is a fact by now; the topic cannot tell.
    """

    payload: bytes
    attributes: Mapping[str, str]
    message_id: str
    error_kind: str
    error_field: str | None
    stage: str
    event_id: str | None
    failed_at: dt.datetime
    replay_count: int
    truncated: bool
    is_fact: bool = False

    @classmethod
    def of_message(cls, message: PubsubMessage) -> Self:
        """A letter from the dead-letter topic.

        Raises:
            ValueError: the message is no dead letter of ours.
        """
        told = dict(message.attributes)
        try:
            return cls(
                payload=message.data,
                attributes=senders_attributes(told),
                message_id=told["message_id"],
                error_kind=told["error_kind"],
                error_field=told.get("error_field"),
                stage=told["stage"],
                event_id=told.get("event_id"),
                failed_at=_moment(told["failed_at"]),
                replay_count=int(told[REPLAY_COUNT]),
                truncated=PAYLOAD_TRUNCATED in told,
            )
        except KeyError as missing:
            raise ValueError(f"the attribute {missing} is missing") from None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """A letter from the query of ``dead_letters.sql``."""
        told: dict[str, str] = msgspec.json.decode(row["attributes"]) or {}
        return cls(
            payload=row["payload"],
            attributes={key: value for key, value in told.items() if key != REPLAY_COUNT},
            message_id=row["message_id"],
            error_kind=row["error_kind"],
            error_field=row["error_field"],
            stage=row["stage"],
            event_id=row["event_id"],
            failed_at=row["failed_at"],
            replay_count=row["replay_count"] or 0,
            truncated=row["payload_truncated"],
            is_fact=row["is_fact"],
        )

    def again(self, payload: bytes) -> PubsubMessage:
        """The message to publish: the original one, counted, with this payload.

        Pub/Sub takes 100 attributes: where the sender's and the two that count are more, the last
        of the sender's are left out. A sender's own replay_of names no replay.
        """
        first = self.attributes.get(REPLAY_OF) if self.replay_count > 0 else None
        counted = {
            REPLAY_OF: first or id_attribute(self.message_id),
            REPLAY_COUNT: str(self.replay_count + 1),
        }
        others = ((k, v) for k, v in self.attributes.items() if k not in counted)
        kept = itertools.islice(others, MAX_ATTRIBUTES - len(counted))
        return PubsubMessage(data=payload, attributes=dict(kept) | counted)


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which letters are asked for.

    Attributes:
        kinds: error kinds.
        start, end: of failed_at, UTC: from the one to before the other.
        test: test_id in the payload; None for every one.
        ids: ids of messages or events; None for all.
    """

    kinds: frozenset[str]
    start: dt.datetime
    end: dt.datetime
    test: str | None = None
    ids: frozenset[str] | None = None

    def __contains__(self, letter: ReplayCandidate) -> bool:
        return (
            letter.error_kind in self.kinds
            and self.start <= letter.failed_at < self.end
            and (self.ids is None or bool(self.ids & {letter.message_id, letter.event_id}))
            and (self.test is None or _test_id(letter.payload) == self.test)
        )


@dataclasses.dataclass(frozen=True)
class ReplayPolicy:
    """What is done with a letter.

    Attributes:
        fix: None where the payload goes out as it came.
        max_replays: a letter that was replayed so often stays.
    """

    family: EventFamily
    selection: Selection
    fix: Fix | None
    max_replays: int

    def decide(self, letter: ReplayCandidate) -> tuple[Outcome, bytes]:
        """What becomes of it, and the payload to send where it is to be replayed."""
        payload = self.fix(self.family, letter.payload) if self.fix else letter.payload
        for outcome, applies in (
            (Outcome.NOT_ASKED_FOR, letter not in self.selection),
            (Outcome.IS_FACT, letter.is_fact),
            (Outcome.TRUNCATED, letter.truncated),
            (Outcome.MAX_REPLAYS, letter.replay_count >= self.max_replays),
            (Outcome.NOT_MENDED, self.fix is not None and payload == letter.payload),
        ):
            if applies:
                return outcome, payload
        return Outcome.REPLAYED, payload


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("failed_at has no offset")
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("failed_at is out of range") from None


def _test_id(payload: bytes) -> str | None:
    value = (fields_of(payload) or {}).get("test_id")
    try:
        return None if value is None else msgspec.json.decode(value, type=str)
    except msgspec.ValidationError:
        return None
