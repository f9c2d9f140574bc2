"""Traffic with all that goes wrong, and what the warehouse has to have of it in the end."""

import collections
import dataclasses
import random
from collections.abc import Sequence

import msgspec

from local_runner.traffic.simulate import DUPLICATE, FACT, SimulatedMessage, default_start, simulate
from pipeline.counts import Counts

CONFLICTS = 0.01


def mixed(size: int, seed: int) -> list[SimulatedMessage]:
    """About 5 % bad, 3 % copies and 1 % copies that differ."""
    rng = random.Random(seed)
    differing = round(size * CONFLICTS)
    messages = simulate(size - differing, seed, default_start())
    originals = [message for message in messages if message.outcome == FACT]
    for original in rng.sample(originals, differing):
        changed = msgspec.json.decode(original.payload) | {"answer": "changed on the way"}
        copy = dataclasses.replace(
            original, payload=msgspec.json.encode(changed), outcome=DUPLICATE
        )
        messages.insert(rng.randint(0, len(messages)), copy)
    return messages


def sent(messages: Sequence[SimulatedMessage]) -> list[tuple[bytes, dict[str, str]]]:
    """The messages as they are published: bodies and attributes."""
    return [(message.payload, message.attributes) for message in messages]


def assert_exact(counts: Counts, messages: Sequence[SimulatedMessage]) -> None:
    """Every message is accounted for, as what it is."""
    expected = collections.Counter(str(message.outcome) for message in messages)
    facts, duplicates = expected.pop(FACT), expected.pop(DUPLICATE)
    assert counts.accounted == len(messages)
    assert (counts.facts, counts.duplicates) == (facts, duplicates)
    assert counts.dead_letters == dict(expected)


def assert_events(rows: Sequence[dict[str, object]], messages: Sequence[SimulatedMessage]) -> None:
    """Each event once, as it was sent first; of copies that differ either may have come first."""
    copies = collections.defaultdict(list)
    for message in messages:
        if message.outcome in (FACT, DUPLICATE):
            event = msgspec.json.decode(message.payload)
            copies[event["event_id"]].append(event)
    assert sorted(row["event_id"] for row in rows) == sorted(copies)
    for row in rows:
        assert any(_matches(row, event) for event in copies[row["event_id"]]), row["event_id"]


def _matches(row: dict[str, object], event: dict[str, object]) -> bool:
    names = ("event_type", "test_id", "student_id", "session_id", "question_id", "answer")
    return all(row[name] == event.get(name) for name in names)
