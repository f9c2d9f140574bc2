"""Dead letters read from the topic or the table, and the policy that selects them."""

import dataclasses
import datetime as dt
import enum
import itertools
from collections.abc import Iterable, Mapping
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
    """The outcome of a replay for one dead letter."""

    REPLAYED = "replayed"
    NOT_SELECTED = "not selected"
    IS_FACT = "already a fact"
    TRUNCATED = "payload truncated"
    MAX_REPLAYS = "at --max_replays"
    NOT_FIXED = "not changed by the fix"
    REJECTED = "rejected by Pub/Sub"


@dataclasses.dataclass(frozen=True)
class ReplayCandidate:
    """The parts of a dead letter that a replay needs.

    Attributes:
        payload: the message data.
        attributes: the original ones.
        message_id: of the original message.
        error_kind, error_field, stage, event_family, event_id, failed_at, replay_count: as in the
            table.
        truncated: whether the payload is only the beginning of it.
        is_fact: whether the event is already a fact of its family; always False for a letter of
            no family, and for one from the topic.
    """

    payload: bytes
    attributes: Mapping[str, str]
    message_id: str
    error_kind: str
    error_field: str | None
    stage: str
    event_family: str | None
    event_id: str | None
    failed_at: dt.datetime
    replay_count: int
    truncated: bool
    is_fact: bool = False

    @classmethod
    def of_message(cls, message: PubsubMessage) -> Self:
        """A letter from the dead-letter topic.

        Raises:
            ValueError: the message is not one of our dead letters.
        """
        attributes = dict(message.attributes)
        try:
            return cls(
                payload=message.data,
                attributes=senders_attributes(attributes),
                message_id=attributes["message_id"],
                error_kind=attributes["error_kind"],
                error_field=attributes.get("error_field"),
                stage=attributes["stage"],
                event_family=attributes.get("event_family"),
                event_id=attributes.get("event_id"),
                failed_at=_moment(attributes["failed_at"]),
                replay_count=int(attributes[REPLAY_COUNT]),
                truncated=PAYLOAD_TRUNCATED in attributes,
            )
        except KeyError as missing:
            raise ValueError(f"the attribute {missing} is missing") from None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """A letter from the query of ``dead_letters.sql``."""
        attributes: dict[str, str] = msgspec.json.decode(row["attributes"]) or {}
        return cls(
            payload=row["payload"],
            attributes={key: value for key, value in attributes.items() if key != REPLAY_COUNT},
            message_id=row["message_id"],
            error_kind=row["error_kind"],
            error_field=row["error_field"],
            stage=row["stage"],
            event_family=row["event_family"],
            event_id=row["event_id"],
            failed_at=row["failed_at"],
            replay_count=row["replay_count"] or 0,
            truncated=row["payload_truncated"],
            is_fact=row["is_fact"],
        )

    def again(self, payload: bytes) -> PubsubMessage:
        """The message to publish: the original one with this payload and a higher replay_count.

        Pub/Sub accepts 100 attributes: if there are more with our two, the last of the sender's are
        left out. A replay_of of the sender's own is overwritten.
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
    """The letters selected by the options.

    Attributes:
        kinds: error kinds.
        start, end: range of failed_at, UTC; the end is exclusive.
        test: test_id in the payload; None for all.
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


class ReplayPolicy:
    """Decides what to do with a letter."""

    def __init__(
        self,
        families: Iterable[EventFamily],
        selection: Selection,
        fix: Fix | None,
        max_replays: int,
    ) -> None:
        """Takes the options.

        Args:
            families: whose letters to replay, beside those of no family.
            selection: which of them.
            fix: None if the payload is sent unchanged.
            max_replays: a letter that has been replayed this often is skipped.
        """
        self._families = {family.name: family for family in families}
        self._selection, self._fix, self._max_replays = selection, fix, max_replays

    def decide(self, letter: ReplayCandidate) -> tuple[Outcome, bytes]:
        """The outcome for a letter, and the payload to send if it is REPLAYED."""
        family = self._families.get(letter.event_family or "")
        foreign = family is None and letter.event_family is not None
        payload = self._fix(family, letter.payload) if self._fix else letter.payload
        for outcome, applies in (
            (Outcome.NOT_SELECTED, foreign or letter not in self._selection),
            (Outcome.IS_FACT, letter.is_fact),
            (Outcome.TRUNCATED, letter.truncated),
            (Outcome.MAX_REPLAYS, letter.replay_count >= self._max_replays),
            (Outcome.NOT_FIXED, self._fix is not None and payload == letter.payload),
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
