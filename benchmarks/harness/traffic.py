"""The events that the benchmarks run on: the simulator's, whose payload settles their lateness."""

import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any

from local_runner.traffic.sessions import Session, make_exams
from schemas.exam_event.family import FAMILY as EXAM_EVENT

# What the simulator's apps add beside the contract.
UNKNOWN_FIELDS = frozenset({"app_build", "device"})


def events(seed: int = 20_260_301) -> Iterator[dict[str, Any]]:
    """Events of one exam day after another, yesterday's by their clocks; without end."""
    rng = random.Random(seed)  # noqa: S311 - simulated traffic
    exams = make_exams(rng)
    day = dt.datetime.now(dt.UTC).replace(hour=8, minute=0, second=0) - dt.timedelta(days=1)
    while True:
        for sent in Session(rng, rng.choice(exams), day).events():
            if _settles_itself(sent.event):
                yield sent.event


def _settles_itself(event: dict[str, Any]) -> bool:
    return (
        event["event_type"] not in EXAM_EVENT.judged_types
        or "session_expiry_ts" in event
        or "session_duration_seconds" in event
    )


def payloads(count: int, carries_unknown: bool | None = None) -> list[bytes]:
    """So many messages; all with unknown fields, none with them, or (None) mixed."""
    chosen: list[bytes] = []
    for event in events():
        if carries_unknown is None or carries_unknown is bool(UNKNOWN_FIELDS & event.keys()):
            chosen.append(json.dumps(event, separators=(",", ":")).encode())
            if len(chosen) == count:
                break
    return chosen


def stream(count: int, leave_out: frozenset[str] = frozenset()) -> Iterator[bytes]:
    """So many messages, each an event of its own, made on the fly from ten thousand others.

    Args:
        count: how many.
        leave_out: event types that are not among them.
    """
    kinds = tuple(f'"event_type":"{kind}"'.encode() for kind in leave_out)
    known = [p for p in payloads(min(count, 10_000)) if not any(kind in p for kind in kinds)]
    for number in range(count):
        # 36 characters of event_id follow {"event_id":"
        yield b'{"event_id":"%036d%b' % (number, known[number % len(known)][49:])
