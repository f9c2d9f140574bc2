"""The oracle of lateness on cases worked out by hand from DESIGN 5."""

import datetime as dt

import pytest

from tests.lateness_oracle import Answer, answer

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def at(seconds):
    return NOON + dt.timedelta(seconds=seconds)


def submission(seconds=0, **fields):
    return {"event_type": "answer_submit", "test_id": "t", "client_ts": at(seconds)} | fields


def start(seconds=0, event_id="s", **fields):
    return {"event_type": "session_start", "event_id": event_id, "client_ts": at(seconds)} | fields


def row(test_id, duration=None, grace=None):
    return {"test_id": test_id, "duration_seconds": duration, "grace_seconds": grace}


def deadline(event, *session, settings=()):
    """Seconds after noon, and the source."""
    given = answer(event, session, settings)
    after = given.deadline_ts and (given.deadline_ts - NOON).total_seconds()
    return after, given.deadline_source


OWN_EXPIRY = {"session_expiry_ts": at(1)}
OWN_START = {"session_start_ts": at(10)}
OWN_DURATION = {"session_duration_seconds": 100}
WHOLE_START = start(20, session_duration_seconds=200, session_expiry_ts=at(3))
LASTING = start(20, session_duration_seconds=200)
BARE = start(20)
SETTINGS = (row(None, 1_000), row("t", 2_000))


@pytest.mark.parametrize(
    ("own", "session", "settings", "expected"),
    [
        (OWN_EXPIRY | OWN_START | OWN_DURATION, [WHOLE_START], SETTINGS, (1, "payload")),
        (OWN_START | OWN_DURATION, [WHOLE_START], SETTINGS, (110, "payload")),
        (OWN_START, [WHOLE_START], SETTINGS, (3, "session")),
        (OWN_DURATION, [LASTING], SETTINGS, (120, "mixed")),
        (OWN_START, [LASTING], SETTINGS, (210, "mixed")),
        ({}, [LASTING], SETTINGS, (220, "session")),
        ({}, [start(20, session_start_ts=at(5), **OWN_DURATION)], (), (105, "session")),
        ({}, [BARE], SETTINGS, (2_020, "test")),
        (OWN_START, [], SETTINGS, (2_010, "test")),
        ({}, [BARE], SETTINGS[:1], (1_020, "default")),
        ({}, [BARE], (row(None, 1_000), row("t", None, 5)), (1_020, "default")),
        ({}, [BARE], (row("other", 1_000),), (None, None)),
        ({}, [], SETTINGS, (None, None)),
        (OWN_DURATION, [], SETTINGS, (None, None)),
    ],
)
def test_the_first_deadline_that_can_be_built_counts(own, session, settings, expected):
    assert deadline(submission(**own), *session, settings=settings) == expected


def test_the_earliest_start_alone_supplies_what_the_session_knows():
    later = start(1, "a", session_duration_seconds=500)
    first = [start(0, "b"), start(0, "c", session_duration_seconds=700)]
    assert deadline(submission(), later, *first) == (None, None)
    assert deadline(submission(), later, first[1]) == (700, "session")


def test_late_is_strictly_after_deadline_and_grace_and_counts_from_the_deadline():
    settings = [row(None, 60, 9), row("t", None, 5)]
    on_time, late = (answer(submission(s), [start()], settings) for s in (65, 65.000_001))
    assert on_time == Answer("ON_TIME", False, None, at(60), "default")
    assert late == Answer("LATE", True, 5.000_001, at(60), "default")
    assert answer(submission(66, test_id="other"), [start()], settings).late_status == "ON_TIME"


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (None, Answer("UNKNOWN")),
        (0, Answer("ON_TIME", False, deadline_source="client")),
        (True, Answer("LATE", True, deadline_source="client")),
    ],
)
def test_the_apps_verdict_stands_in_where_no_deadline_can_be_built(verdict, expected):
    assert answer(submission(is_late_submission=verdict)) == expected
    settled = answer(submission(is_late_submission=verdict, session_expiry_ts=NOON))
    assert settled == Answer("ON_TIME", False, None, NOON, "payload")


def test_other_events_are_not_judged():
    assert answer(start(), [start()]) == Answer("NOT_APPLICABLE")
    assert answer(submission(event_type="page_view", **OWN_EXPIRY)) == Answer("NOT_APPLICABLE")
