import dataclasses
import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exam_event.event import EventType, ExamEvent
from schemas.lateness import (
    DeadlineSource,
    LatenessResult,
    LatenessSettings,
    LateStatus,
    SettingsRow,
    StartRecord,
)
from tests.support import lateness_oracle as oracle
from tests.transforms import strategies
from tests.transforms.builders import NOW, event
from transforms.lateness.rule import judge, payload_deadline

MICROSECOND = dt.timedelta(microseconds=1)
HOUR = dt.timedelta(hours=1)


@given(sent=strategies.events)
def test_an_event_alone_is_judged_as_the_oracle_does(sent: ExamEvent) -> None:
    submission = msgspec.structs.replace(sent, event_type=EventType.TEST_SUBMIT)
    expected = oracle.answer(msgspec.structs.asdict(submission))
    lateness = judge(submission)
    assert msgspec.structs.asdict(lateness) == dataclasses.asdict(expected)
    assert type(lateness.is_late_submission) is type(expected.is_late_submission)
    assert payload_deadline(submission) == expected.deadline_ts


@pytest.mark.parametrize(
    ("settings", "late_by", "source"),
    [
        (LatenessSettings(SettingsRow(60), {"t1": SettingsRow(90)}), 10, "test"),
        (LatenessSettings(SettingsRow(60), {"t1": SettingsRow(None, 0)}), 40, "default"),
        (LatenessSettings(SettingsRow(60), {"t2": SettingsRow(90)}), 40, "default"),
        (LatenessSettings(tests={"t1": SettingsRow(90)}), 10, "test"),
    ],
)
def test_a_duration_is_the_tests_own_before_that_of_every_test(
    settings: LatenessSettings, late_by: int, source: str
) -> None:
    sent = event(session_start_ts=NOW - dt.timedelta(seconds=100))
    assert judge(sent, None, settings) == LatenessResult(
        late_status=LateStatus.LATE,
        is_late_submission=True,
        late_by_seconds=late_by,
        deadline_ts=NOW - dt.timedelta(seconds=late_by),
        deadline_source=DeadlineSource(source),
    )


@pytest.mark.parametrize(
    ("own", "late_by", "source"),
    [
        ({}, 30, "session"),
        ({"session_start_ts": NOW - dt.timedelta(seconds=90)}, 20, "mixed"),
        ({"session_duration_seconds": 60}, 40, "mixed"),
    ],
)
def test_a_start_record_lends_what_the_event_does_not_carry(
    own: dict[str, Any], late_by: int, source: str
) -> None:
    began = NOW - dt.timedelta(seconds=100)
    start = StartRecord(client_ts=began, event_id="s", start_ts=began, duration_seconds=70)
    lateness = judge(event(**own), start, LatenessSettings(SettingsRow(50)))
    assert (lateness.late_by_seconds, lateness.deadline_source) == (late_by, source)


@given(sent=strategies.events, zone=strategies.offsets)
def test_the_offset_in_which_a_time_is_told_means_nothing(sent: ExamEvent, zone: Any) -> None:
    def moved(name: str) -> dt.datetime | None:
        value = getattr(sent, name)
        return value and value.astimezone(zone)

    names = ("client_ts", "session_start_ts", "session_expiry_ts")
    fields = {name: getattr(sent, name) for name in sent.__struct_fields__}
    again = ExamEvent(**(fields | {name: moved(name) for name in names}))
    assert judge(again) == judge(sent)


@pytest.mark.parametrize(
    ("deadline", "carried"),
    [
        (NOW, {"session_expiry_ts": NOW}),
        (NOW, {"session_start_ts": NOW - HOUR, "session_duration_seconds": 3600}),
        (
            NOW,
            {
                "session_expiry_ts": NOW,
                "session_start_ts": NOW - HOUR,
                "session_duration_seconds": 60,
            },
        ),
    ],
    ids=["own expiry", "own start and duration", "own expiry before own duration"],
)
def test_the_deadline_itself_is_on_time_and_a_microsecond_later_is_late(
    deadline: dt.datetime, carried: dict[str, Any]
) -> None:
    on_time = judge(event(client_ts=deadline, **carried))
    assert (on_time.late_status, on_time.is_late_submission) == (LateStatus.ON_TIME, False)
    assert on_time.late_by_seconds is None
    late = judge(event(client_ts=deadline + MICROSECOND, **carried))
    assert (late.late_status, late.is_late_submission) == (LateStatus.LATE, True)
    assert late.late_by_seconds == 0.000_001
    assert late.deadline_ts == on_time.deadline_ts == deadline


@pytest.mark.parametrize(
    "carried",
    [{}, {"session_start_ts": NOW}, {"session_duration_seconds": 60}],
    ids=["nothing", "start alone", "duration alone"],
)
@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (None, LateStatus.UNKNOWN),
        (0, LateStatus.ON_TIME),
        (False, LateStatus.ON_TIME),
        (1, LateStatus.LATE),
        (True, LateStatus.LATE),
    ],
)
def test_half_a_deadline_is_none(carried: dict[str, Any], verdict: Any, status: Any) -> None:
    lateness = judge(event(is_late_submission=verdict, **carried))
    assert lateness.late_status is status
    assert lateness.deadline_ts is None
    assert lateness.late_by_seconds is None


@pytest.mark.parametrize("verdict", [0, 1, False, True])
def test_a_deadline_is_never_overruled(verdict: Any) -> None:
    on_time = event(session_expiry_ts=NOW, is_late_submission=verdict)
    late = event(session_expiry_ts=NOW - HOUR, is_late_submission=verdict)
    assert judge(on_time).is_late_submission is False
    assert judge(late).is_late_submission is True
    assert judge(late).late_by_seconds == 3600.0


@given(start=st.just(NOW), duration=st.integers(1, 604_800), after=st.integers(-10, 10))
def test_duration_counts_in_seconds(start: dt.datetime, duration: int, after: int) -> None:
    client_ts = start + dt.timedelta(seconds=duration + after)
    lateness = judge(
        event(client_ts=client_ts, session_start_ts=start, session_duration_seconds=duration)
    )
    assert lateness.late_by_seconds == (float(after) if after > 0 else None)
