"""Small sessions in every order of arrival, and what the rule says of them."""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence

import msgspec

from schemas.exam_event.event import EventType, ExamEvent, ValidExamEvent
from tests.support.lateness_oracle import answer
from tests.transforms.builders import accept

BEGIN = dt.datetime.now(dt.UTC).replace(hour=9, minute=0, second=0, microsecond=0) - dt.timedelta(
    days=2
)


def at(seconds: float) -> dt.datetime:
    return BEGIN + dt.timedelta(seconds=seconds)


def accepted(
    session_id: str,
    name: str,
    event_type: EventType,
    seconds: float,
    copy: int = 0,
    data: bytes = b"{}",
    **fields,
):
    """An event ``seconds`` after BEGIN; ``copy`` distinguishes the messages of one event."""
    if event_type in (EventType.ANSWER_SUBMIT, EventType.ANSWER_RESUBMIT):
        fields.setdefault("question_id", "question-1")
    event = ExamEvent(
        event_id=f"{session_id}/{name}",
        event_type=event_type,
        test_id="test-1",
        student_id="student-1",
        session_id=session_id,
        client_ts=at(seconds),
        **fields,
    )
    message_id = f"{session_id}/{name}/{copy}"
    return accept(event, data=data, message_id=message_id, publish_time=at(seconds))


def with_two_starts(session_id: str) -> list[ValidExamEvent]:
    """The first start allows 100 s; the second comes later by its clock and would allow 500."""
    late = accepted(session_id, "late", EventType.ANSWER_RESUBMIT, 150)
    copy = accepted(session_id, "late", EventType.ANSWER_RESUBMIT, 150, copy=1)
    return [
        accepted(session_id, "start", EventType.SESSION_START, 0, session_duration_seconds=100),
        accepted(session_id, "again", EventType.SESSION_START, 10, session_duration_seconds=500),
        accepted(session_id, "in-time", EventType.ANSWER_SUBMIT, 90),
        late,
        copy,
        accepted(session_id, "submit", EventType.TEST_SUBMIT, 600),
    ]


def without_a_start(session_id: str) -> list[ValidExamEvent]:
    """Nothing gives a deadline; of one event the app's own verdict is known."""
    answer = EventType.ANSWER_SUBMIT
    return [
        accepted(session_id, "view", EventType.PAGE_VIEW, 1),
        accepted(session_id, "one", answer, 10),
        accepted(session_id, "one", answer, 10, copy=1),
        accepted(session_id, "two", answer, 20),
        accepted(session_id, "verdict", answer, 30, is_late_submission=True),
        accepted(session_id, "submit", EventType.TEST_SUBMIT, 40),
    ]


def in_every_order(make, prefix: str) -> list[Sequence[ValidExamEvent]]:
    """Each permutation of a session's arrivals, as a session of its own."""
    size = len(make("any"))
    sessions = []
    for number, order in enumerate(itertools.permutations(range(size))):
        members = make(f"{prefix}-{number:04}")
        sessions.append([members[position] for position in order])
    return sessions


def rounds(sessions: Iterable[Sequence[ValidExamEvent]]) -> list[tuple[ValidExamEvent, ...]]:
    """The first arrivals of all sessions, then their second ones, and so on."""
    return list(zip(*sessions, strict=True))


def expected_status(event: ExamEvent, known: Iterable[ValidExamEvent]) -> str:
    """What may be said of an event, given what is known of its session."""
    session = [msgspec.structs.asdict(one.event) for one in known]
    return answer(msgspec.structs.asdict(event), session).late_status
