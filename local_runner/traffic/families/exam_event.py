"""Exam events: a school day of timed tests."""

import datetime as dt
import itertools
import random
from collections.abc import Callable, Iterator

from local_runner.traffic.events import Breakage, Broken, Event, FamilyTraffic, Sent
from local_runner.traffic.malformed import HIDE_FAMILY, MALFORMED
from local_runner.traffic.sessions import Session, make_exams
from schemas.errors import ErrorKind


def events(rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
    """Endless events, session by session."""
    exams = make_exams(rng)
    while True:
        yield from Session(rng, rng.choice(exams), start).events()


def _breakages() -> list[Breakage]:
    """Every kind of malformed message, the error kinds in turn, so that a few show each kind."""
    rounds = itertools.zip_longest(*MALFORMED.values())
    return [
        _breakage(kind, way)
        for ways in rounds
        for kind, way in zip(MALFORMED, ways, strict=True)
        if way is not None
    ]


def _breakage(kind: ErrorKind, way: Callable[[Event], bytes]) -> Breakage:
    return lambda event: Broken(way(event), kind, None, way in HIDE_FAMILY)


TRAFFIC = FamilyTraffic(
    events=events,
    breakages=_breakages(),
    conflicting=lambda event: event | {"answer": "changed on the way"},
    malformed_share=0.04,
    attributes={"origin": "exam-app", "app_version": "5.2.0"},
)
