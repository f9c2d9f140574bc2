"""A simulated school day of timed tests: the events of its sessions, as the app sends them.

Everything is drawn from one seeded generator, so the same seed and start give the same bytes.
"""

import dataclasses
import datetime as dt
import random
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from local_runner.traffic.events import DAY_HOURS, Sent, rfc3339
from schemas.exam_event.event import EventType

# Sittings begin on the hour, most of them mid-morning and after lunch.
_SITTING_WEIGHTS = (2, 6, 9, 5, 2, 7, 6, 3)
_STUDENTS = 400
_MEAN_LATE_ARRIVAL_SECONDS = 240.0
_MEDIAN_THINKING_SECONDS = 55.0

_ABANDONED = 0.08
_START_LOST = 0.03
_END_LOST = 0.04
_LATE = 0.15
_RESUBMITS = 0.28
_UNGRADED = 0.04
_STORE_ERROR = 0.02
_EXTRA_FIELDS = 0.12
_SKEWED_CLOCK = 0.03
# The app's bug: it accepts submissions for a quarter of an hour after the session expired.
_LATE_WINDOW_SECONDS = 900.0

Carrier = Literal["expiry", "duration", "verdict", "nothing"]


@dataclasses.dataclass(frozen=True)
class Exam:
    """One test of the day.

    Attributes:
        test_id: its id.
        duration: how long a session may last.
        wrong_rates: by question, the chance of a wrong first answer.
    """

    test_id: str
    duration: dt.timedelta
    wrong_rates: tuple[float, ...]


def make_exams(rng: random.Random) -> tuple[Exam, ...]:
    """The day's tests, with easy and hard questions."""
    sizes = {
        "algebra-1": (12, 30),
        "biology-2": (10, 25),
        "history-1": (8, 20),
        "physics-3": (14, 45),
    }
    return tuple(
        Exam(
            test_id,
            dt.timedelta(minutes=minutes),
            tuple(round(rng.betavariate(2, 4), 3) for _ in range(questions)),
        )
        for test_id, (questions, minutes) in sizes.items()
    )


class Session:
    """One student who sits one test; ``events`` yields what the app sends."""

    def __init__(self, rng: random.Random, exam: Exam, day: dt.datetime) -> None:
        """Draws the student, the moment of arrival, the habits and the quirks of the device.

        Args:
            rng: the seeded generator.
            exam: the test.
            day: when the day's first sitting begins.
        """
        self._rng = rng
        self._exam = exam
        sitting = rng.choices(range(DAY_HOURS), _SITTING_WEIGHTS)[0]
        lateness = rng.expovariate(1 / _MEAN_LATE_ARRIVAL_SECONDS)
        self._start = day + dt.timedelta(hours=sitting, seconds=lateness)
        self._now = self._start
        self._ids = {
            "test_id": exam.test_id,
            "student_id": f"student-{rng.randrange(_STUDENTS):04}",
            "session_id": _uuid(rng),
        }
        skew = rng.gauss(0, 240) if rng.random() < _SKEWED_CLOCK else rng.gauss(0, 1.5)
        self._skew = dt.timedelta(seconds=skew)
        self._carrier: Carrier = rng.choices(
            ("expiry", "duration", "verdict", "nothing"), (40, 25, 15, 20)
        )[0]
        self._zone = dt.timezone(dt.timedelta(hours=2)) if rng.random() < 0.1 else dt.UTC
        self._extra = (
            {"app_build": rng.randrange(5100, 5140), "device": {"os": "android", "offline": True}}
            if rng.random() < _EXTRA_FIELDS
            else {}
        )

    def events(self) -> Iterator[Sent]:
        """The session's events in the order in which they happen."""
        questions = list(enumerate(self._exam.wrong_rates, start=1))
        abandoned = self._rng.random() < _ABANDONED
        if abandoned:
            questions = questions[: self._rng.randrange(len(questions))]
        started = self._sent(EventType.SESSION_START, **self._timing(EventType.SESSION_START))
        if self._rng.random() >= _START_LOST:
            yield started
        late = self._rng.random() < _LATE
        for number, wrong_rate in questions:
            if late and number == len(questions):
                self._overrun()
            yield from self._question(f"{self._exam.test_id}-q{number:02}", wrong_rate)
        if abandoned:
            return
        self._wait(10)
        yield self._answer(EventType.TEST_SUBMIT)
        if self._rng.random() >= _END_LOST:
            self._wait(2)
            yield self._sent(EventType.SESSION_END)

    def _question(self, question_id: str, wrong_rate: float) -> Iterator[Sent]:
        yield self._sent(EventType.PAGE_VIEW, question_id=question_id)
        attempts = 1
        while attempts < 4 and self._rng.random() < _RESUBMITS:
            attempts += 1
        for attempt in range(1, attempts + 1):
            self._wait(_MEDIAN_THINKING_SECONDS if attempt == 1 else 20)
            kind = EventType.ANSWER_SUBMIT if attempt == 1 else EventType.ANSWER_RESUBMIT
            # Second thoughts help: the chance of being wrong halves with every attempt.
            wrong = self._rng.random() < wrong_rate / 2 ** (attempt - 1)
            answer = self._rng.choice("ABCD")
            graded = {} if self._rng.random() < _UNGRADED else {"is_correct_answer": not wrong}
            yield self._answer(
                kind, question_id=question_id, answer=answer, attempt_no=attempt, **graded
            )
            if self._rng.random() < _STORE_ERROR:
                yield self._store_error(question_id)

    def _answer(self, kind: EventType, **fields: Any) -> Sent:
        return self._sent(kind, **fields, **self._timing(kind))

    def _store_error(self, question_id: str) -> Sent:
        code = self._rng.choice(("db_store_failed", "client_error"))
        payload = {"code": code, "message": "the answer was not stored", "retry": 2}
        described = {"error_payload": payload} if self._rng.random() < 0.8 else {}
        return self._sent(EventType.STORE_ERROR, question_id=question_id, **described)

    def _sent(self, kind: EventType, **fields: Any) -> Sent:
        event = {
            "event_id": _uuid(self._rng),
            "event_type": kind,
            **self._ids,
            "client_ts": self._on_device(self._now),
            **fields,
            **self._extra,
        }
        return Sent(event, self._now)

    def _timing(self, kind: EventType) -> dict[str, Any]:
        """The fields about the session's end that this app version adds to an event."""
        expiry = self._start + self._exam.duration
        seconds = int(self._exam.duration.total_seconds())
        if self._carrier == "expiry":
            return {"session_expiry_ts": self._on_device(expiry)}
        if self._carrier == "duration" or kind is EventType.SESSION_START:
            return {
                "session_start_ts": self._on_device(self._start),
                "session_duration_seconds": seconds,
            }
        return {"is_late_submission": self._now > expiry} if self._carrier == "verdict" else {}

    def _on_device(self, moment: dt.datetime) -> str:
        shown = (moment + self._skew).astimezone(self._zone)
        return rfc3339(shown)

    def _wait(self, median_seconds: float) -> None:
        seconds = median_seconds * self._rng.lognormvariate(0, 0.6)
        self._now += dt.timedelta(seconds=seconds)

    def _overrun(self) -> None:
        """The student thinks past the end of the session."""
        window = self._rng.uniform(0, _LATE_WINDOW_SECONDS)
        overrun = self._start + self._exam.duration + dt.timedelta(seconds=window)
        self._now = max(self._now, overrun)


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
