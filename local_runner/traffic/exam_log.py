"""Exam logs to exam events.

A log is a tab-separated file without a header: milliseconds since the student opened the exam,
student, question, score from 0 to 1. One student is one session.
"""

import dataclasses
import datetime as dt
import math
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from schemas.exam_event.event import EventType

DURATION_SECONDS = 10_800
_NAMESPACE = uuid.UUID("5f0c2f5e-8a55-4c39-9d3f-6b2a1f0f6f0e")


@dataclasses.dataclass(frozen=True)
class LogLine:
    """One submission.

    Attributes:
        number: its place in the file, from 1.
        elapsed: since the student opened the exam; negative if the clock was wrong.
        student: student id.
        question: question id.
        score: 0 to 1.
    """

    number: int
    elapsed: dt.timedelta
    student: str
    question: str
    score: float


@dataclasses.dataclass(frozen=True)
class BadLine:
    """A line that does not parse, and why."""

    number: int
    reason: str


@dataclasses.dataclass(frozen=True)
class ExamLog:
    """The lines of a file, in file order."""

    lines: list[LogLine]
    bad_lines: list[BadLine]


@dataclasses.dataclass(frozen=True)
class Exam:
    """Properties of the exam that the log does not contain.

    Attributes:
        name: the test id, and the first part of every session id.
        start: when every student opened it, UTC.
        duration_seconds: how long a session lasts.
    """

    name: str
    start: dt.datetime
    duration_seconds: int = DURATION_SECONDS


def default_start() -> dt.datetime:
    """30 days ago, 00:00 UTC."""
    today = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - dt.timedelta(days=30)


def read_log(path: Path, start: dt.datetime) -> ExamLog:
    """Reads a log.

    Args:
        path: the file.
        start: when the exam was opened, UTC. A line whose time would be outside the years 1 to
            9999 is a bad line: no timestamp can represent it.

    Raises:
        OSError: the file cannot be read.
    """
    log = ExamLog([], [])
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            try:
                line = _parse(number, text)
                start + line.elapsed
            except (ValueError, OverflowError) as error:
                log.bad_lines.append(BadLine(number, _reason(error)))
            else:
                log.lines.append(line)
    return log


def _parse(number: int, text: bytes) -> LogLine:
    columns = text.decode().rstrip("\r\n").split("\t")
    if len(columns) != 4:
        raise ValueError(f"{len(columns)} columns instead of 4")
    elapsed, score = _finite(columns[0], "time"), _finite(columns[3], "score")
    if not 0 <= score <= 1:
        raise ValueError("the score is not between 0 and 1")
    return LogLine(number, dt.timedelta(milliseconds=elapsed), columns[1], columns[2], score)


def _finite(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"the {name} is not a number")
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return "the time is out of range" if isinstance(error, OverflowError) else str(error)


def events(lines: Iterable[LogLine], exam: Exam) -> Iterator[dict[str, Any]]:
    """The events of a log, in file order.

    The session_start comes before its student's first line; test_submit and session_end come
    after the line with the greatest time (the last of several).
    """
    lines = list(lines)
    last: dict[str, LogLine] = {}
    for line in lines:
        if line.student not in last or line.elapsed >= last[line.student].elapsed:
            last[line.student] = line
    attempts: dict[tuple[str, str], int] = {}
    started: set[str] = set()
    for line in lines:
        if line.student not in started:
            started.add(line.student)
            yield _session_start(line, exam)
        key = (line.student, line.question)
        attempts[key] = attempts.get(key, 0) + 1
        yield _answer(line, exam, attempts[key])
        if line is last[line.student]:
            at = exam.start + line.elapsed
            yield _event(line, exam, EventType.TEST_SUBMIT, at)
            yield _event(line, exam, EventType.SESSION_END, at)


def payloads(lines: Iterable[LogLine], exam: Exam) -> Iterator[bytes]:
    """The events of a log as message bodies."""
    return map(msgspec.json.encode, events(lines, exam))


def _session_start(line: LogLine, exam: Exam) -> dict[str, Any]:
    event = _event(line, exam, EventType.SESSION_START, exam.start)
    return event | {"session_duration_seconds": exam.duration_seconds}


def _answer(line: LogLine, exam: Exam, attempt: int) -> dict[str, Any]:
    kind = EventType.ANSWER_SUBMIT if attempt == 1 else EventType.ANSWER_RESUBMIT
    return _event(line, exam, kind, exam.start + line.elapsed) | {
        "question_id": line.question,
        "is_correct_answer": line.score == 1,
        "attempt_no": attempt,
    }


def _event(line: LogLine, exam: Exam, kind: EventType, at: dt.datetime) -> dict[str, Any]:
    return {
        "event_id": str(uuid.uuid5(_NAMESPACE, f"{exam.name}:{line.number}:{kind}")),
        "event_type": kind,
        "test_id": exam.name,
        "student_id": line.student,
        "session_id": f"{exam.name}-{line.student}",
        "client_ts": at.isoformat(),
    }
