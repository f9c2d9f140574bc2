"""Seeded traffic of event families, with duplicates, delays and malformed messages."""

import dataclasses
import datetime as dt
import itertools
import random
from collections.abc import Iterator, Sequence

from local_runner.traffic.events import DAY_HOURS, Event, FamilyTraffic, Sent, encode
from local_runner.traffic.families import traffic_of
from schemas.errors import ErrorKind
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily
from transforms.route import FAMILY_ATTRIBUTE

FACT = "fact"
DUPLICATE = "duplicate"

_REDELIVERED = 0.03
_CONFLICTING = 0.004
_OFFLINE = 0.05
_MEAN_DELAY_SECONDS = 0.8
_OFFLINE_SECONDS = (30.0, 900.0)
# Of the messages of a topic with several families: the others are routed by their payload.
_NAMED_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class SimulatedMessage:
    """A message for the topic.

    Attributes:
        payload: the body.
        attributes: the Pub/Sub attributes. Never empty: Pub/Sub rejects a message without either.
        offset_seconds: when it reaches the topic, from the start of the day.
        outcome: what it becomes in the pipeline: FACT, DUPLICATE (of an earlier message's event)
            or the ErrorKind of its dead letter.
        family: the event family under which it is stored; None for a dead letter of no family.
    """

    payload: bytes
    attributes: dict[str, str]
    offset_seconds: float
    outcome: str
    family: str | None


@dataclasses.dataclass(frozen=True)
class _Draft:
    """A message whose position, and so whether it is a duplicate, is not known yet."""

    event: Event
    body: bytes
    offset_seconds: float
    error_kind: ErrorKind | None
    hides_family: bool = False


def default_start() -> dt.datetime:
    """The default start: on the hour, long enough ago that the simulated day is over."""
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    return now - dt.timedelta(hours=DAY_HOURS)


def simulate(
    size: int,
    seed: int,
    start: dt.datetime,
    families: Sequence[EventFamily] = (DEFAULT_FAMILY,),
) -> list[SimulatedMessage]:
    """Exactly ``size`` messages in the order in which they reach the topic.

    Args:
        size: number of messages. From a few hundred of a family on, every kind of malformed
            message occurs.
        seed: the same seed, start and families give the same messages, byte for byte.
        start: when the simulated day begins, UTC. Event times follow it.
        families: an equal share of the messages each. Of several, half of the messages name
            theirs in an attribute.
    """
    if len(families) == 1:
        rng = random.Random(seed)  # noqa: S311 - traffic, not secrets
        return _messages_of(families[0], size, rng, start, named_share=0)
    messages = []
    for place, family in enumerate(families):
        share = size // len(families) + (place < size % len(families))
        rng = random.Random(f"{seed} {family.name}")  # noqa: S311
        messages += _messages_of(family, share, rng, start, _NAMED_SHARE)
    return sorted(messages, key=lambda message: message.offset_seconds)


def _messages_of(
    family: EventFamily, size: int, rng: random.Random, start: dt.datetime, named_share: float
) -> list[SimulatedMessage]:
    traffic = traffic_of(family)
    malformed = round(size * traffic.malformed_share)
    deliveries = _deliveries(family, traffic, rng, start)
    drafts = list(itertools.islice(deliveries, size - malformed))
    for breakage in itertools.islice(itertools.cycle(traffic.breakages), malformed):
        victim = rng.choice(drafts)
        event = victim.event | {"event_id": f"broken-{rng.getrandbits(64):016x}"}
        broken = breakage(event)
        drafts.append(
            _Draft(event, broken.body, victim.offset_seconds, broken.kind, broken.hides_family)
        )
    drafts.sort(key=lambda draft: draft.offset_seconds)
    return _labelled(family, traffic, drafts, rng, named_share)


def _deliveries(
    family: EventFamily, traffic: FamilyTraffic, rng: random.Random, start: dt.datetime
) -> Iterator[_Draft]:
    """Endless valid events, some of them more than once."""
    for sent in traffic.events(rng, start):
        yield _draft(family, rng, sent, start)
        if rng.random() < _REDELIVERED:
            yield _draft(family, rng, sent, start)
        if rng.random() < _CONFLICTING:
            changed = traffic.conflicting(sent.event)
            yield _draft(family, rng, Sent(changed, sent.happened_at), start)


def _draft(family: EventFamily, rng: random.Random, sent: Sent, start: dt.datetime) -> _Draft:
    delay = rng.expovariate(1 / _MEAN_DELAY_SECONDS)
    if rng.random() < _OFFLINE:
        delay += rng.uniform(*_OFFLINE_SECONDS)
    offset = (sent.happened_at - start).total_seconds() + delay
    kind = family.dead_letter_types.get(sent.event["event_type"])
    return _Draft(sent.event, encode(sent.event), offset, kind)


def _labelled(
    family: EventFamily,
    traffic: FamilyTraffic,
    drafts: Sequence[_Draft],
    rng: random.Random,
    named_share: float,
) -> list[SimulatedMessage]:
    seen: set[object] = set()
    messages = []
    for draft in drafts:
        outcome: str = draft.error_kind or FACT
        if outcome == FACT:
            # Without an id, an event is identified by what it says.
            identity = draft.event.get("event_id") or draft.body
            outcome = DUPLICATE if identity in seen else FACT
            seen.add(identity)
        attributes = dict(traffic.attributes)
        if rng.random() < named_share:
            attributes[FAMILY_ATTRIBUTE] = family.name
        routed = not (named_share and draft.hides_family) or FAMILY_ATTRIBUTE in attributes
        messages.append(
            SimulatedMessage(
                draft.body,
                attributes,
                draft.offset_seconds,
                outcome,
                family.name if routed else None,
            )
        )
    return messages
