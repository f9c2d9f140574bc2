"""Random rows of the tables that the views of learner events read.

Times lie around midnight and around the ends of minutes, ids are few, so that ties, copies,
repeated attempts and sessions across midnight come about by themselves.
"""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from schemas.families import FAMILIES
from tests.ddl import golden

Row = dict[str, Any]

MIDNIGHT = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
TYPES = (
    "session_start",
    "session_end",
    "page_view",
    "page_view",
    "interaction",
    "lesson_start",
    "lesson_complete",
    "lesson_complete",
    "assessment_start",
    "assessment_complete",
    "error",
)
LEARNERS = ("A", "b", "é")  # their order is that of their bytes
SKILLS = ("k1", "k2")


def tables(seed: int, events: int = 90, answers: int = 40) -> dict[str, list[Row]]:
    """Rows of learner_events_fact and of what else the views read."""
    chance = random.Random(seed)
    facts = [row for number in range(events) for row in _copies(chance, number)]
    chance.shuffle(facts)
    answered = [_answer(chance, number) for number in range(answers)]
    return {
        "learner_events_fact": [
            golden.fact(row, place, FAMILIES["learner_event"]) for place, row in enumerate(facts)
        ],
        "events_fact": [golden.fact(row, place) for place, row in enumerate(answered)],
        "dimension_changes_fact": [
            golden.fact(row, place, FAMILIES["dimension_change"])
            for place, row in enumerate(_questions(chance))
        ],
        "mastery_settings": list(_settings()),
    }


def _copies(chance: random.Random, number: int) -> Iterator[Row]:
    event = _event(chance)
    for copy in range(chance.choice((1, 1, 1, 2, 3))):
        if copy and chance.random() < 0.5:  # it conflicts, perhaps on another date
            event = _event(chance)
        sent = MIDNIGHT + dt.timedelta(days=1, seconds=chance.randint(0, 1))
        written = sent + dt.timedelta(seconds=chance.randint(0, 2))
        yield event | {
            "event_id": f"{chance.choice(LEARNERS)}{number}" if copy == 0 else event["event_id"],
            "publish_ts": _text(sent),
            "processed_at": _text(written),
            "message_id": f"m{number}.{copy}"
            if chance.random() < 0.8
            else f"/data/events.jsonl:{number * 10 + copy:09}",
        }


def _event(chance: random.Random) -> Row:
    kind = chance.choice(TYPES)
    data: Row = {}
    content, _, step = kind.partition("_")
    if content in ("lesson", "assessment"):
        data[f"{content}_id"] = f"{content}{chance.randint(1, 3)}"
    if step == "complete" and chance.random() < 0.8:
        data["score"] = chance.choice((0, 25, 50, 87.5, 100))
        data["skill_ids"] = chance.choices(SKILLS, k=chance.randint(0, 3))
    if kind == "page_view" and chance.random() < 0.8:
        data["page_id"] = f"p{chance.randint(1, 3)}"
    learner = chance.choice(LEARNERS)
    return {
        "event_id": f"{kind}{chance.randint(1, 10**9)}",
        "event_type": kind,
        "learner_id": learner,
        "session_id": f"s{chance.randint(1, 2)}",
        "timestamp": _text(_moment(chance)),
        "data": data,
    }


def _answer(chance: random.Random, number: int) -> Row:
    moment, session = _text(_moment(chance)), chance.randint(1, 5)
    row = {
        "event_id": f"answer{number}",
        "event_type": chance.choice(("answer", "answer_submit", "answer_resubmit", "page_view")),
        "session_id": f"x{session}",
        "student_id": LEARNERS[session % 3] if chance.random() < 0.9 else "b",
        "test_id": f"t{session % 2}" if chance.random() < 0.9 else "lesson1",
        "question_id": f"q{chance.randint(1, 4)}",
        "client_ts": moment,
        "answer": chance.choice("ABC") if chance.random() < 0.7 else None,
        "is_correct_answer": chance.random() < 0.5 if chance.random() < 0.8 else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _questions(chance: random.Random) -> Iterator[Row]:
    """Two versions of some questions: the key of the later one grades."""
    for number in (1, 2, 3):
        for version in range(2):
            row = {
                "test_id": f"t{number % 2}",
                "correct_option": chance.choice(("A", "B", None)),
                "topic": chance.choice((*SKILLS, None)),
                "skill_id": chance.choice((*SKILLS, None)),
            }
            yield {
                "event_id": f"c{number}.{version}",
                "dimension": "question",
                "key": f"q{number}",
                "row": row,
                "version_ts": _text(MIDNIGHT - dt.timedelta(days=9 - version)),
            }


def _settings() -> Iterator[Row]:
    names = ("content_type", "content_id", "prior_mean", "prior_weight")
    yield dict(zip(names, (None, None, "0.25", None), strict=True))
    yield dict(zip(names, ("skill", "k1", "0.75", "4"), strict=True))
    yield dict(zip(names, ("lesson", "lesson1", None, "8"), strict=True))


def _moment(chance: random.Random) -> dt.datetime:
    """Within ten minutes around midnight, often at the very end of a minute."""
    seconds = chance.choice((0, 0, 1, 30, 59, chance.randint(0, 59)))
    micros = chance.choice((0, 0, 0, 1, -1))
    minutes = chance.randint(-6, 4) if chance.random() < 0.9 else chance.choice((-1440, 1440))
    return MIDNIGHT + dt.timedelta(minutes=minutes, seconds=seconds, microseconds=micros)


def _text(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
