"""Random sessions for the lateness rule, and what the rule in Python makes of them."""

import datetime as dt
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from pipeline.lookups.lateness_settings import settings_of
from pipeline.sinks.insert_rows import json_row
from schemas.exam_event.event import EventType, ExamEvent, ValidExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.families import FAMILIES
from schemas.lateness import LatenessResult, LatenessSettings, StartRecord
from tests.ddl import golden
from tests.transforms.builders import accept
from transforms.lateness.rule import NOT_APPLICABLE, earlier, judge, start_record
from transforms.rows import FactRows

BEGIN = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
DATABASE: Any = "database"  # a source that the stream does not know
_LATER = "2026-03-02T12:00:00Z"
TESTS = ("t1", "t2", "t3", "t4")
# Between them: no constants at all, only a default, only tests, and rows that leave one part open.
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "default": [{"test_id": None, "duration_seconds": 90, "grace_seconds": 7}],
    "tests": [
        {"test_id": "t1", "duration_seconds": 60, "grace_seconds": 5},
        {"test_id": "t2", "duration_seconds": None, "grace_seconds": 3},
    ],
    "both": [
        {"test_id": None, "duration_seconds": 90, "grace_seconds": 7},
        {"test_id": "t1", "duration_seconds": 60, "grace_seconds": None},
        {"test_id": "t2", "duration_seconds": None, "grace_seconds": 0},
        {"test_id": "t3", "duration_seconds": None, "grace_seconds": None},
    ],
}
SUBMISSIONS = sorted(EXAM_EVENT.judged_types)
OTHERS = (EventType.PAGE_VIEW, EventType.SESSION_END)
_ROWS = FactRows(EXAM_EVENT, "test")


def messages(seed: str, sessions: int, settings: LatenessSettings) -> list[ValidExamEvent]:
    """Messages of ``sessions`` sessions, copies among them; many lie on their very deadline."""
    chance = random.Random(seed)
    sent = [
        message
        for number in range(sessions)
        for event in _session(chance, f"x{number}")
        for message in _copies(chance, event)
    ]
    starts = start_records(kept(sent))
    known = expiries(sessions)
    sent = [_on_the_edge(chance, message, starts, settings, known) for message in sent]
    chance.shuffle(sent)
    return sent


def kept(sent: Iterable[ValidExamEvent]) -> list[ValidExamEvent]:
    """Of each event the copy that was published first (DESIGN 6)."""
    first: dict[str, ValidExamEvent] = {}
    for message in sorted(sent, key=_publish_order):
        first.setdefault(message.event.event_id, message)
    return list(first.values())


def _publish_order(sent: ValidExamEvent) -> tuple[dt.datetime, str]:
    return sent.message.publish_time, sent.message.message_id


def start_records(sent: Iterable[ValidExamEvent]) -> dict[str, StartRecord | None]:
    starts: dict[str, StartRecord | None] = {}
    for message in sent:
        session = message.event.session_id
        starts[session] = earlier(starts.get(session), start_record(message.event))
    return starts


def judged(
    event: ExamEvent,
    starts: dict[str, StartRecord | None],
    settings: LatenessSettings,
    expiries: Mapping[str, dt.datetime],
) -> LatenessResult:
    """As the warehouse judges: an expiry in the database comes before one in the payload."""
    if event.event_type not in EXAM_EVENT.judged_types:
        return NOT_APPLICABLE
    expiry = expiries.get(event.session_id)
    if expiry is None:
        return judge(event, starts.get(event.session_id), settings)
    found = judge(msgspec.structs.replace(event, session_expiry_ts=expiry), settings=settings)
    return msgspec.structs.replace(found, deadline_source=DATABASE)


def expiries(sessions: int) -> dict[str, dt.datetime]:
    """The expiry in the operational database of each fifth session, by session_id."""
    chance = random.Random(sessions)
    return {f"x{number}": _moment(chance) for number in range(0, sessions, 5)}


def session_changes(sessions: int) -> list[dict[str, Any]]:
    """Rows of session_changes_fact that say so."""
    family = FAMILIES["session_change"]
    changes = [
        {"session_id": session_id, "expiry_ts": expiry.isoformat(), "version_ts": _LATER}
        for session_id, expiry in expiries(sessions).items()
    ]
    return [golden.fact(change, place, family) for place, change in enumerate(changes)]


def row(message: ValidExamEvent, lateness: LatenessResult) -> dict[str, Any]:
    made = _ROWS.build(message, lateness, message.message.publish_time)
    return json_row(_ROWS.columns, made)


def settings(name: str) -> LatenessSettings:
    return settings_of(SETTINGS[name])


def _session(chance: random.Random, session_id: str) -> Iterator[ExamEvent]:
    test_id = chance.choice(TESTS)
    kinds = [EventType.SESSION_START] * chance.choice((0, 1, 1, 2, 3))
    kinds += chance.choices(SUBMISSIONS, k=chance.randint(1, 4))
    kinds += chance.choices(OTHERS, k=chance.randint(0, 1))
    for number, kind in enumerate(kinds):
        # Bytes decide between ids of one time: upper case, then lower, then what is not ASCII.
        name = chance.choice(("A", "b", "é"))
        yield ExamEvent(
            event_id=f"{session_id}/{name}{number}",
            event_type=kind,
            test_id=test_id if chance.random() < 0.9 else chance.choice(TESTS),
            student_id="s1",
            session_id=session_id,
            client_ts=_moment(chance),
            question_id="q1",
            session_start_ts=_perhaps(chance, 0.3, _moment(chance)),
            session_expiry_ts=_perhaps(chance, 0.15, _moment(chance)),
            session_duration_seconds=_perhaps(chance, 0.3, chance.choice((1, 60, 90))),
            is_late_submission=_perhaps(chance, 0.4, chance.choice((True, False, 0, 1))),
        )


def _copies(chance: random.Random, event: ExamEvent) -> Iterator[ValidExamEvent]:
    for number in range(chance.choice((1, 1, 1, 2, 3))):
        copy = event
        if number and chance.random() < 0.5:
            copy = msgspec.structs.replace(
                event,
                event_type=chance.choice((EventType.SESSION_START, *SUBMISSIONS, *OTHERS)),
                client_ts=_moment(chance),
                session_duration_seconds=_perhaps(chance, 0.5, 60),
            )
        yield accept(
            copy,
            message_id=f"{event.event_id}#{chance.choice('Aab')}{number}",
            publish_time=BEGIN + dt.timedelta(hours=1, seconds=chance.randint(0, 2)),
        )


def _on_the_edge(
    chance: random.Random,
    message: ValidExamEvent,
    starts: dict[str, StartRecord | None],
    settings: LatenessSettings,
    known: Mapping[str, dt.datetime],
) -> ValidExamEvent:
    """Moves a submission to within a microsecond of the moment when it would be late."""
    deadline = judged(message.event, starts, settings, known).deadline_ts
    if deadline is None or chance.random() < 0.3:
        return message
    edge = deadline + settings.grace(message.event.test_id) + chance.randint(-1, 1) * MICROSECOND
    return msgspec.structs.replace(
        message, event=msgspec.structs.replace(message.event, client_ts=edge)
    )


def _moment(chance: random.Random) -> dt.datetime:
    seconds, micros = chance.randint(0, 4) * 30, chance.choice((0, 0, 1, 123_457))
    return BEGIN + dt.timedelta(seconds=seconds, microseconds=micros)


def _perhaps(chance: random.Random, probability: float, value: Any) -> Any:
    return value if chance.random() < probability else None
