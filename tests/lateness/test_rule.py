"""The rule as a pure function, against the rule written down a second time as a table."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from schemas.exam_event.event import EventType, ExamEvent
from schemas.lateness import LatenessSettings, SettingsRow, StartRecord
from tests.lateness.sessions import at
from transforms.lateness.rule import earlier, judge, start_record

SECONDS = st.one_of(st.none(), st.integers(1, 400))
MOMENTS = st.integers(0, 400_000_000).map(lambda micros: at(0) + dt.timedelta(microseconds=micros))
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
    StartRecord,
    client_ts=MOMENTS,
    event_id=st.sampled_from("ab"),
    start_ts=MOMENTS,
    duration_seconds=SECONDS,
    expiry_ts=st.none() | MOMENTS,
)
rows = st.builds(SettingsRow, SECONDS, st.none() | st.integers(0, 60))
all_settings = st.builds(
    lambda default, listed, grace: LatenessSettings(
        default, {"listed": listed, "without duration": SettingsRow(None, grace)}
    ),
    rows,
    rows,
    st.none() | st.integers(0, 60),
)


def table(event, start, settings):
    """Every way to build a deadline, in the order in which they count: (deadline, source)."""
    own_start, own_duration = event.session_start_ts, event.session_duration_seconds
    its_start = start and start.start_ts
    its_duration = start and start.duration_seconds
    test = settings.tests.get(event.test_id, SettingsRow()).duration_seconds
    default = settings.default.duration_seconds
    began = own_start or its_start
    return [
        (event.session_expiry_ts, "payload"),
        (plus(own_start, own_duration), "payload"),
        (start and start.expiry_ts, "session"),
        (plus(began, own_duration), "mixed"),
        (plus(own_start, its_duration), "mixed"),
        (plus(its_start, its_duration), "session"),
        (plus(began, test), "test"),
        (plus(began, default), "default"),
    ]


def plus(began, seconds):
    return None if None in (began, seconds) else began + dt.timedelta(seconds=seconds)


def grace_of(event, settings):
    told = [settings.tests.get(event.test_id, SettingsRow()), settings.default]
    return dt.timedelta(
        seconds=next((row.grace_seconds for row in told if row.grace_seconds is not None), 0)
    )


@given(events, st.none() | starts, all_settings)
def test_the_first_deadline_that_can_be_built_decides(event, start, settings):
    lateness = judge(event, start, settings)
    ways = [way for way in table(event, start, settings) if way[0] is not None]
    if ways:
        deadline, source = ways[0]
        late = event.client_ts > deadline + grace_of(event, settings)
        assert lateness.deadline_ts == deadline
        assert lateness.deadline_source == source
        assert lateness.is_late_submission is late
        assert lateness.late_status == ("LATE" if late else "ON_TIME")
        seconds = (event.client_ts - deadline) / dt.timedelta(seconds=1)
        assert lateness.late_by_seconds == (seconds if late else None)
        return
    assert (lateness.deadline_ts, lateness.late_by_seconds) == (None, None)
    verdict = event.is_late_submission
    if verdict is None:
        assert lateness.late_status == "UNKNOWN"
        assert (lateness.is_late_submission, lateness.deadline_source) == (None, None)
    else:
        assert lateness.late_status == ("LATE" if verdict else "ON_TIME")
        assert lateness.is_late_submission is bool(verdict)
        assert lateness.deadline_source == "client"


@given(st.lists(starts, max_size=6), st.randoms())
def test_the_start_record_does_not_depend_on_the_order_of_arrival(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    record = None
    for start in shuffled:
        record = earlier(record, start)
    first = min(found, key=lambda start: (start.client_ts, start.event_id), default=None)
    assert (record and record.order) == (first and first.order)
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
    told = start_record(
        ExamEvent(
            event_type=EventType.SESSION_START,
            session_start_ts=at(1),
            session_duration_seconds=60,
            session_expiry_ts=at(90),
            **sent,
        )
    )
    assert told == StartRecord(
        client_ts=at(5), event_id="s", start_ts=at(1), duration_seconds=60, expiry_ts=at(90)
    )
