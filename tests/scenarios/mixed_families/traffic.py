"""Messages of several families on one topic, bad ones among them, and what becomes of each."""

import collections
import dataclasses
import itertools
import random
from collections.abc import Iterator, Sequence

import msgspec

from local_runner.traffic.broken import breakages
from local_runner.traffic.events import Breakage, Broken, Event, encode
from local_runner.traffic.simulate import DUPLICATE, FACT, SimulatedMessage, default_start, simulate
from pipeline.counts import Counts
from schemas.errors import ErrorKind
from schemas.families import DEFAULT_FAMILY, FAMILIES
from schemas.family import EventFamily
from transforms.route import FAMILY_ATTRIBUTE

BROKEN = 0.05
# What simulate() breaks itself is left out: it does not predict the field at fault.
_SPARE = 1.2
_VALID = {FACT, DUPLICATE, ErrorKind.STORE_ERROR}


@dataclasses.dataclass(frozen=True)
class Sent:
    """A message, what it becomes (FACT, DUPLICATE or an ErrorKind), of which family and field."""

    payload: bytes
    attributes: dict[str, str]
    outcome: str
    family: str | None
    field: str | None = None


def mixed(size: int, seed: int) -> list[Sent]:
    """Messages of all families, 5 % of them broken, in each way before one of them comes again.

    The first few of a family show each error kind, the others come in an order of the seed's.
    """
    rng = random.Random(seed)
    broken = round(size * BROKEN)
    simulated = simulate(round(size * _SPARE), seed, default_start(), [*FAMILIES.values()])
    valid = [message for message in simulated if message.outcome in _VALID][: size - broken]
    messages = [Sent(m.payload, m.attributes, str(m.outcome), m.family) for m in valid]
    for one in itertools.islice(_broken(valid, rng), broken):
        messages.insert(rng.randint(0, len(messages)), one)
    assert len(messages) == size
    return messages


def _broken(valid: Sequence[SimulatedMessage], rng: random.Random) -> Iterator[Sent]:
    victims = collections.defaultdict(list)
    for message in valid:
        victims[message.family].append(message)
    ways = {family.name: itertools.cycle(_ways(family, rng)) for family in FAMILIES.values()}
    for name in itertools.cycle(FAMILIES):
        victim = rng.choice(victims[name])
        event = msgspec.json.decode(victim.payload)
        broken = next(ways[name])(event | {"event_id": f"broken-{rng.getrandbits(64):016x}"})
        unknown = broken.hides_family and FAMILY_ATTRIBUTE not in victim.attributes
        family = None if unknown else name
        yield Sent(broken.body, victim.attributes, str(broken.kind), family, broken.field)


def _ways(family: EventFamily, rng: random.Random) -> Sequence[Breakage]:
    """How to break the contract and, of exam events, the rules beyond types."""
    each_kind, others = breakages(family)[:4], breakages(family)[4:]
    if family is DEFAULT_FAMILY:
        others += [_no_question, _expires_at_start]
    return [*each_kind, *rng.sample(others, len(others))]


def _no_question(event: Event) -> Broken:
    body = encode(event | {"event_type": "answer_submit", "question_id": None})
    return Broken(body, ErrorKind.RULE_VIOLATION, "question_id", hides_family=False)


def _expires_at_start(event: Event) -> Broken:
    moment = event["client_ts"]
    body = encode(event | {"session_start_ts": moment, "session_expiry_ts": moment})
    return Broken(body, ErrorKind.RULE_VIOLATION, "session_expiry_ts", hides_family=False)


def assert_counts(counts: Counts, messages: Sequence[Sent]) -> None:
    """For each family, and for none, every message is accounted for as what it is."""
    expected = collections.defaultdict(collections.Counter)
    for message in messages:
        expected[message.family][message.outcome] += 1
    found = {
        name: collections.Counter({FACT: one.facts, DUPLICATE: one.duplicates, **one.dead_letters})
        for name, one in counts.by_family.items()
    }
    assert found == dict(expected), f"{found} are not {dict(expected)}"
