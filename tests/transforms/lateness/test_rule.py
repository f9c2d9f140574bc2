"""The rule as a pure function, against the oracle."""

import dataclasses
import datetime as dt
import functools
import operator

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.exam_event.event import EventType, ExamEvent
from schemas.lateness import LatenessSettings, SettingsRow, StartRecord
from tests.support import lateness_oracle as oracle
from tests.transforms.lateness.sessions import at
from transforms.lateness.rule import earlier, judge, start_record

# Few values, so that many submissions lie within a microsecond of their deadline.
SECONDS = st.sampled_from([None, 30, 60, 90])
MOMENTS = st.builds(
    lambda steps, micros: at(30 * steps) + dt.timedelta(microseconds=micros),
    st.integers(0, 6),
    st.sampled_from([-1, 0, 1]),
)
GRACE = st.sampled_from([None, 0, 30])
ORDER = operator.attrgetter("client_ts", "event_id")
events = st.builds(
    ExamEvent,
    event_id=st.just("event"),
    event_type=st.sampled_from([EventType.ANSWER_SUBMIT, EventType.TEST_SUBMIT]),
    test_id=st.sampled_from(["listed", "without duration", "unlisted"]),
    student_id=st.just("student"),
    session_id=st.just("session"),
    client_ts=MOMENTS,
    session_start_ts=st.none() | MOMENTS,
    session_expiry_ts=st.none() | MOMENTS,
    session_duration_seconds=SECONDS,
    is_late_submission=st.sampled_from([None, True, False, 0, 1]),
)
starts = st.builds(
    ExamEvent,
    event_id=st.sampled_from("ab"),
    event_type=st.just(EventType.SESSION_START),
    test_id=st.just("listed"),
    student_id=st.just("student"),
    session_id=st.just("session"),
    client_ts=MOMENTS,
    session_start_ts=st.none() | MOMENTS,
    session_expiry_ts=st.none() | MOMENTS,
    session_duration_seconds=SECONDS,
)
rows = st.builds(SettingsRow, SECONDS, GRACE)
all_settings = st.builds(
    lambda default, listed, grace: LatenessSettings(
        default, {"listed": listed, "without duration": SettingsRow(None, grace)}
    ),
    rows,
    rows,
    GRACE,
)


def table(constants):
    """The constants as rows of their table."""
    return [
        msgspec.structs.asdict(row) | {"test_id": test_id}
        for test_id, row in [(None, constants.default), *constants.tests.items()]
    ]


@settings(max_examples=1_000)
@given(events, st.lists(starts, max_size=3, unique_by=ORDER), all_settings)
def test_the_rule_is_the_oracles(event, session, constants):
    record = functools.reduce(earlier, map(start_record, session), None)
    known = map(msgspec.structs.asdict, session)
    expected = oracle.answer(msgspec.structs.asdict(event), known, table(constants))
    lateness = judge(event, record, constants)
    assert msgspec.structs.asdict(lateness) == dataclasses.asdict(expected)
    assert type(lateness.is_late_submission) is type(expected.is_late_submission)


@given(st.lists(starts, max_size=6), st.randoms())
def test_the_start_record_does_not_depend_on_the_order_of_arrival(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    record = functools.reduce(earlier, map(start_record, shuffled), None)
    first = min(found, key=ORDER, default=None)
    assert (record and record.order) == (first and ORDER(first))
    assert record == earlier(record, record)


@given(events)
def test_only_a_session_start_tells_of_its_session(event):
    assert start_record(event) is None


def test_a_session_start_without_a_time_of_its_own_started_when_it_was_sent():
    sent = {
        "event_id": "s",
        "test_id": "t",
        "student_id": "u",
        "session_id": "x",
        "client_ts": at(5),
    }
    bare = start_record(ExamEvent(event_type=EventType.SESSION_START, **sent))
    assert bare == StartRecord(client_ts=at(5), event_id="s", start_ts=at(5))
    actual = start_record(
        ExamEvent(
            event_type=EventType.SESSION_START,
            session_start_ts=at(1),
            session_duration_seconds=60,
            session_expiry_ts=at(90),
            **sent,
        )
    )
    assert actual == StartRecord(
        client_ts=at(5), event_id="s", start_ts=at(1), duration_seconds=60, expiry_ts=at(90)
    )
