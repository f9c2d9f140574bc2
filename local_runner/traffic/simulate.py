"""Seeded exam traffic, with duplicates, delays and malformed messages."""

import dataclasses
import datetime as dt
import itertools
import random
from collections.abc import Callable, Iterator, Sequence

from local_runner.traffic.malformed import MALFORMED, Event, encode
from local_runner.traffic.sessions import DAY_HOURS, Sent, Session, make_exams
from schemas.errors import ErrorKind
from schemas.exam_event.event import EventType

FACT = "fact"
DUPLICATE = "duplicate"

_MALFORMED_SHARE = 0.04
_REDELIVERED = 0.03
_CONFLICTING = 0.004
_OFFLINE = 0.05
_MEAN_DELAY_SECONDS = 0.8
_OFFLINE_SECONDS = (30.0, 900.0)
_ATTRIBUTES = {"origin": "exam-app", "app_version": "5.2.0"}


@dataclasses.dataclass(frozen=True)
class SimulatedMessage:
    """A message for the topic.

    Attributes:
        payload: the body.
        attributes: the Pub/Sub attributes. Never empty: Pub/Sub rejects a message without either.
        offset_seconds: when it reaches the topic, from the start of the day.
        outcome: what it becomes in the pipeline: FACT, DUPLICATE (of an earlier message's event)
            or the ErrorKind of its dead letter.
    """

    payload: bytes
    attributes: dict[str, str]
    offset_seconds: float
    outcome: str


@dataclasses.dataclass(frozen=True)
class _Draft:
    """A message whose position, and so whether it is a duplicate, is not known yet."""

    event: Event
    body: bytes
    offset_seconds: float
    error_kind: ErrorKind | None


def default_start() -> dt.datetime:
    """The default start: on the hour, long enough ago that the simulated day is over."""
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    return now - dt.timedelta(hours=DAY_HOURS)


def simulate(size: int, seed: int, start: dt.datetime) -> list[SimulatedMessage]:
    """Exactly ``size`` messages in the order in which they reach the topic.

    Args:
        size: number of messages. From a few hundred on, every kind of malformed message occurs.
        seed: the same seed and start give the same messages, byte for byte.
        start: when the simulated day begins, UTC. Event times follow it.
    """
    rng = random.Random(seed)  # noqa: S311 - traffic, not secrets
    malformed = round(size * _MALFORMED_SHARE)
    drafts = list(itertools.islice(_deliveries(rng, start), size - malformed))
    for kind, way in itertools.islice(itertools.cycle(_ways_to_break()), malformed):
        victim = rng.choice(drafts)
        event = victim.event | {"event_id": f"broken-{rng.getrandbits(64):016x}"}
        drafts.append(_Draft(event, way(event), victim.offset_seconds, kind))
    return _labelled(sorted(drafts, key=lambda draft: draft.offset_seconds))


def _ways_to_break() -> list[tuple[ErrorKind, Callable[[Event], bytes]]]:
    """Every kind of malformed message, the error kinds in turn, so that a few show each kind."""
    rounds = itertools.zip_longest(*MALFORMED.values())
    return [
        (kind, way)
        for ways in rounds
        for kind, way in zip(MALFORMED, ways, strict=True)
        if way is not None
    ]


def _deliveries(rng: random.Random, start: dt.datetime) -> Iterator[_Draft]:
    """Endless valid events, session by session, some of them more than once."""
    exams = make_exams(rng)
    while True:
        for sent in Session(rng, rng.choice(exams), start).events():
            yield _draft(rng, sent, start)
            if rng.random() < _REDELIVERED:
                yield _draft(rng, sent, start)
            if rng.random() < _CONFLICTING:
                changed = sent.event | {"answer": "changed on the way"}
                yield _draft(rng, Sent(changed, sent.happened_at), start)


def _draft(rng: random.Random, sent: Sent, start: dt.datetime) -> _Draft:
    delay = rng.expovariate(1 / _MEAN_DELAY_SECONDS)
    if rng.random() < _OFFLINE:
        delay += rng.uniform(*_OFFLINE_SECONDS)
    offset = (sent.happened_at - start).total_seconds() + delay
    store_error = sent.event["event_type"] == EventType.STORE_ERROR
    kind = ErrorKind.STORE_ERROR if store_error else None
    return _Draft(sent.event, encode(sent.event), offset, kind)


def _labelled(drafts: Sequence[_Draft]) -> list[SimulatedMessage]:
    seen: set[str] = set()
    messages = []
    for draft in drafts:
        outcome: str = draft.error_kind or FACT
        if outcome == FACT:
            event_id = draft.event["event_id"]
            outcome = DUPLICATE if event_id in seen else FACT
            seen.add(event_id)
        messages.append(
            SimulatedMessage(draft.body, dict(_ATTRIBUTES), draft.offset_seconds, outcome)
        )
    return messages
