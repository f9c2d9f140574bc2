"""Random rows for the tables, dense with what views can get wrong.

Times lie on a coarse grid, so that they tie and that submissions fall on their very deadline; ids
are few, so that copies, conflicts, store errors in two sessions, event_ids that a fact and a store
error share, and sessions with no start or with several come about by themselves.
"""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from schemas.families import FAMILIES
from tests.ddl import golden

Row = dict[str, Any]

DAY = dt.datetime(2026, 3, 2, 23, 59, tzinfo=dt.UTC)
TYPES = (
    "session_start",
    "session_end",
    "page_view",
    "answer_submit",
    "answer_submit",
    "answer_resubmit",
    "answer",
    "answer",
    "test_submit",
)
TESTS = ("t1", "t2", "té")
NAMES = ("A", "b", "é")  # their order is that of their bytes


def together(seeds: range) -> dict[str, list[Row]]:
    """The rows of several datasets in one: the ids of each begin with its seed.

    A query costs much to prepare and little to run. One dataset has the settings for every test.
    """
    found = {seed: tables(seed) for seed in seeds}
    return {
        name: [
            _apart(seed, row)
            for seed in seeds
            for row in found[seed][name]
            if name != "lateness_settings" or row["test_id"] is not None or seed == seeds[0]
        ]
        for name in found[seeds[0]]
    }


def _apart(seed: int, row: Row) -> Row:
    ids = ("event_id", "session_id", "test_id", "student_id", "message_id", "key")
    return row | {name: f"{seed}.{row[name]}" for name in ids if row.get(name) is not None}


def tables(seed: int, sessions: int = 6) -> dict[str, list[Row]]:
    """Rows of the tables of one dataset, about ten events a session."""
    chance = random.Random(seed)
    facts = [row for n in range(sessions * 8) for row in _copies(chance, n, sessions)]
    letters = [row for n in range(sessions * 2) for row in _letters(chance, n, sessions, facts)]
    chance.shuffle(facts)
    chance.shuffle(letters)
    return {
        "events_fact": [golden.fact(row, n) for n, row in enumerate(facts)],
        "dead_letters": [golden.letter(row, n) for n, row in enumerate(letters)],
        "lateness_settings": _settings(chance),
        "session_changes_fact": list(_session_changes(chance, sessions)),
        "dimension_changes_fact": list(_test_changes(chance)),
    }


def _copies(chance: random.Random, number: int, sessions: int) -> Iterator[Row]:
    event = _event(chance, f"{chance.choice(NAMES)}{number}", sessions)
    for copy in range(chance.choice((1, 1, 1, 1, 2, 3))):
        if copy and chance.random() < 0.5:
            event = _event(chance, event["event_id"], sessions)
        sent = {
            "message_id": f"{event['event_id']}#{chance.choice('Aab')}{copy}",
            "publish_ts": _text(DAY + dt.timedelta(hours=1, seconds=chance.randint(0, 2))),
        }
        row = event | sent
        yield row
        if chance.random() < 0.1:  # delivered twice
            later = dt.datetime.fromisoformat(row["publish_ts"]) + dt.timedelta(seconds=9)
            yield row | {"ingest_ts": _text(later)}


def _event(chance: random.Random, event_id: str, sessions: int) -> Row:
    kind = chance.choice(TYPES)
    answered = kind.startswith("answer")
    event = {
        "event_id": event_id,
        "event_type": kind,
        **_ids(chance, sessions),
        "client_ts": _text(_moment(chance)),
        "session_start_ts": _perhaps(chance, 0.15, _text(_moment(chance))),
        "session_expiry_ts": _perhaps(chance, 0.1, _text(_moment(chance))),
        "session_duration_seconds": _perhaps(chance, 0.3, chance.choice((30, 60))),
        "client_is_late_submission": _perhaps(chance, 0.3, chance.random() < 0.5),
        "question_id": f"q{chance.randint(1, 3)}" if answered or chance.random() < 0.2 else None,
        "attempt_no": _perhaps(chance, 0.5, chance.randint(1, 2)),
        "is_correct_answer": _perhaps(chance, 0.8, chance.random() < 0.5),
        "completion_status": _perhaps(chance, 0.1, chance.choice(("completed", "incomplete"))),
        "extra": _perhaps(chance, 0.1, {"a": chance.randint(1, 2)}),
    }
    return {name: value for name, value in event.items() if value is not None}


def _letters(chance: random.Random, number: int, sessions: int, facts: list[Row]) -> Iterator[Row]:
    if chance.random() < 0.3:  # a fact's twin, which ties with it in everything but its type
        fact = chance.choice(facts)
        yield _ids(chance, sessions) | {
            **{name: fact[name] for name in ("event_id", "session_id", "client_ts")},
            "test_id": chance.choice(TESTS),
            "publish_time": fact["publish_ts"],
            "message_id": f"{fact['event_id']}!twin{number}",
            "failed_at": fact["client_ts"],
        }
        return
    shared = chance.random() < 0.4
    event_id = f"{chance.choice(NAMES)}{number if shared else f'error{number}'}"
    for copy in range(chance.choice((1, 1, 2))):
        failed_at = _moment(chance) + dt.timedelta(hours=1)
        letter = {
            "event_id": event_id,
            **_ids(chance, sessions),
            "client_ts": _text(_moment(chance)),
            "publish_time": _text(DAY + dt.timedelta(hours=1, seconds=chance.randint(0, 1))),
            "message_id": f"{event_id}!{chance.choice('Aab')}{copy}",
            "failed_at": _text(failed_at),
            "question_id": _perhaps(chance, 0.3, "q1"),
        }
        yield letter | ({"error_kind": "schema_violation"} if chance.random() < 0.1 else {})
        if chance.random() < 0.2:  # delivered twice
            yield letter | {"failed_at": _text(failed_at + dt.timedelta(seconds=9))}


def _ids(chance: random.Random, sessions: int) -> Row:
    """A session has one test and one student, as a rule."""
    number = chance.randrange(sessions)
    same = chance.random() < 0.85
    return {
        "session_id": f"x{number}",
        "test_id": TESTS[number % len(TESTS)] if same else chance.choice(TESTS),
        "student_id": f"s{number}" if same else "s0",
    }


def _settings(chance: random.Random) -> list[Row]:
    return [
        {
            "test_id": test,
            "duration_seconds": _perhaps(chance, 0.7, chance.choice((30, 60))),
            "grace_seconds": _perhaps(chance, 0.7, chance.choice((0, 30))),
        }
        for test in (None, *TESTS)
        if chance.random() < 0.5
    ]


def _session_changes(chance: random.Random, sessions: int) -> Iterator[Row]:
    """For every second session, some."""
    for number in range(0, sessions, 2):
        for place in range(chance.randint(0, 3)):
            change = {
                "event_id": f"{chance.choice(NAMES)}{number}.{place}",
                "session_id": f"x{number}",
                "expiry_ts": _text(_moment(chance)),
                "op": chance.choice(("upsert", "upsert", "upsert", "delete")),
                "version_ts": _text(DAY + dt.timedelta(seconds=chance.randint(0, 1))),
                "position": _perhaps(chance, 0.5, chance.randint(0, 1)),
                "publish_ts": _text(DAY + dt.timedelta(hours=1, seconds=chance.randint(0, 1))),
            }
            yield golden.fact(change, number, FAMILIES["session_change"])


def _test_changes(chance: random.Random) -> Iterator[Row]:
    for place in range(chance.randint(0, 4)):
        is_delete = chance.random() < 0.2
        change = {
            "event_id": f"{chance.choice(NAMES)}{place}",
            "dimension": "test",
            "key": chance.choice(TESTS),
            "op": "delete" if is_delete else "upsert",
            "row": None if is_delete else {"duration_seconds": chance.choice((30, 60, 0, None))},
            "version_ts": _text(DAY + dt.timedelta(seconds=chance.randint(0, 1))),
            "publish_ts": _text(DAY + dt.timedelta(hours=1, seconds=chance.randint(0, 1))),
        }
        yield golden.fact(change, place, FAMILIES["dimension_change"])


def _moment(chance: random.Random) -> dt.datetime:
    """Within three minutes around midnight; now and then days away, on both sides of the margin."""
    days = chance.choice((-9, -8, -1, 1, 8, 9)) if chance.random() < 0.08 else 0
    micros = chance.choice((0, 0, 0, 0, 1, -1))
    return DAY + dt.timedelta(days, seconds=30 * chance.randint(0, 6), microseconds=micros)


def _text(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _perhaps(chance: random.Random, probability: float, value: Any) -> Any:
    return value if chance.random() < probability else None
