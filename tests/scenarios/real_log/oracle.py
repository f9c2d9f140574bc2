"""What an exam log says, computed from its lines with nothing of ours.

How a line becomes events is described in the README beside the log, what the summaries count by
DESIGN 7. One student is one session. All times are UTC.
"""

import collections
import dataclasses
import datetime as dt
import functools
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.support import lateness_oracle

DURATION = dt.timedelta(minutes=180)

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Answer:
    """One line: an answer_submit where it is the first attempt, else an answer_resubmit.

    Attributes:
        student: student id.
        question: question id.
        at: client_ts.
        attempt: counts the student's lines for the question in file order, from 1.
        correct: whether it got the full score.
    """

    student: str
    question: str
    at: dt.datetime
    attempt: int
    correct: bool


@dataclasses.dataclass(frozen=True, eq=False)
class Exam:
    """One log.

    Attributes:
        name: the test id.
        start: of every session.
        duration: of every session.
        answers: its lines, in file order.
        unparsable: lines that are skipped.
    """

    name: str
    start: dt.datetime
    duration: dt.timedelta
    answers: list[Answer]
    unparsable: int

    def sessions(self) -> dict[str, list[Answer]]:
        """The answers of each student, in order of event time."""
        students = collections.defaultdict(list)
        for answer in self.answers:
            students[answer.student].append(answer)
        return {student: sorted(own, key=_order) for student, own in students.items()}

    def dates(self) -> tuple[dt.date, dt.date]:
        """Of the first and of the last event."""
        times = [self.start, *(answer.at for answer in self.answers)]
        return min(times).date(), max(times).date()

    def begun_on(self, date: dt.date) -> "Exam":
        """The same with only the sessions whose first event falls on this date."""
        begun = {
            student
            for student, answers in self.sessions().items()
            if min(self.start, answers[0].at).date() == date
        }
        kept = [answer for answer in self.answers if answer.student in begun]
        return dataclasses.replace(self, answers=kept)

    def late(self, submissions: Iterable[dt.datetime]) -> int:
        """How many of these submissions came after the session had expired."""
        return sum(self._is_late(at) for at in submissions)

    def _is_late(self, at: dt.datetime) -> bool:
        event = {"event_type": "answer_submit", "test_id": self.name, "client_ts": at}
        start = {
            "event_type": "session_start",
            "event_id": "start",
            "client_ts": self.start,
            "session_duration_seconds": self.duration // dt.timedelta(seconds=1),
        }
        return lateness_oracle.answer(event, [start]).late_status == "LATE"


def read(path: Path, start: dt.datetime, duration: dt.timedelta = DURATION) -> Exam:
    """Reads a log.

    Args:
        path: the file; its stem names the exam.
        start: when every student opened the exam.
        duration: how long a session lasts.
    """
    answers: list[Answer] = []
    unparsable = 0
    attempts: collections.Counter[tuple[str, str]] = collections.Counter()
    for line in path.read_text().splitlines():
        try:
            milliseconds, student, question, points = line.split("\t")
            elapsed, score = dt.timedelta(milliseconds=float(milliseconds)), float(points)
        except ValueError:
            unparsable += 1
            continue
        attempts[student, question] += 1
        attempt = attempts[student, question]
        answers.append(Answer(student, question, start + elapsed, attempt, score == 1))
    return Exam(path.stem, start, duration, answers, unparsable)


def events(exam: Exam) -> Iterator[Row]:
    """Every event, with the columns that the log decides, in no order."""
    for student, answers in exam.sessions().items():
        end = answers[-1].at
        yield _event(exam, student, "session_start", exam.start) | {
            "session_duration_seconds": exam.duration // dt.timedelta(seconds=1)
        }
        for answer in answers:
            kind = "answer_submit" if answer.attempt == 1 else "answer_resubmit"
            yield _event(exam, student, kind, answer.at) | {
                "question_id": answer.question,
                "is_correct_answer": answer.correct,
                "attempt_no": answer.attempt,
            }
        yield _event(exam, student, "test_submit", end)
        yield _event(exam, student, "session_end", end)


def _event(exam: Exam, student: str, kind: str, at: dt.datetime) -> Row:
    return {
        "event_type": kind,
        "test_id": exam.name,
        "student_id": student,
        "session_id": f"{exam.name}-{student}",
        "client_ts": at,
        "question_id": None,
        "answer": None,
        "is_correct_answer": None,
        "attempt_no": None,
        "session_duration_seconds": None,
    }


@functools.cache
def session_summary(exam: Exam) -> list[Row]:
    """The rows of the view of this name."""
    return [_session(exam, student, own) for student, own in exam.sessions().items()]


def _session(exam: Exam, student: str, answers: list[Answer]) -> Row:
    end = answers[-1].at  # of test_submit and session_end too
    final = {answer.question: answer.correct for answer in answers}.values()
    first_attempts = [answer for answer in answers if answer.attempt == 1]
    return {
        "session_id": f"{exam.name}-{student}",
        "test_id": exam.name,
        "student_id": student,
        "session_start_time": exam.start,
        "session_end_time": end,
        "effective_session_end_time": end,
        "duration_seconds": max((end - exam.start) / dt.timedelta(seconds=1), 0.0),
        "is_complete": True,
        "total_page_views": 0,
        "total_answers_submitted": len(answers),
        "total_resubmits": len(answers) - len(first_attempts),
        "total_store_errors": 0,
        "test_submit_flag": 1,
        "correct_answers": sum(answer.correct for answer in first_attempts),
        "wrong_answers": sum(not answer.correct for answer in first_attempts),
        "final_correct_answers": sum(final),
        "final_wrong_answers": len(final) - sum(final),
        "late_submissions": exam.late([*(answer.at for answer in answers), end]),
    }


@functools.cache
def question_summary(exam: Exam) -> list[Row]:
    """The rows of the view of this name."""
    questions = collections.defaultdict(list)
    for answer in exam.answers:
        questions[answer.question].append(answer)
    return [_question(exam, question, answers) for question, answers in questions.items()]


def _question(exam: Exam, question: str, answers: list[Answer]) -> Row:
    by_time = sorted(answers, key=_order)
    first = {answer.student: answer.correct for answer in reversed(by_time)}.values()
    final = {answer.student: answer.correct for answer in by_time}.values()
    first_attempts = [answer for answer in answers if answer.attempt == 1]
    wrong = sum(not answer.correct for answer in first_attempts)
    return {
        "test_id": exam.name,
        "question_id": question,
        "total_page_views": 0,
        "total_attempts": len(answers),
        "total_resubmits": len(answers) - len(first_attempts),
        "correct_answers": len(first_attempts) - wrong,
        "wrong_answers": wrong,
        "wrong_answer_rate": wrong / len(answers),
        "first_answer_error_rate": (len(first) - sum(first)) / len(first),
        "final_correct_answers": sum(final),
        "final_wrong_answers": len(final) - sum(final),
        "late_submissions": exam.late(answer.at for answer in answers),
        "first_seen_ts": by_time[0].at,
        "last_seen_ts": by_time[-1].at,
    }


@functools.cache
def test_summary(exam: Exam) -> list[Row]:
    """The row of the view of this name."""
    sessions = session_summary(exam)
    return [
        {
            "test_id": exam.name,
            "sessions": len(sessions),
            "completed_sessions": len(sessions),
            "submitted_sessions": len(sessions),
            "total_answers": len(exam.answers),
            "correct_answers": sum(row["correct_answers"] for row in sessions),
            "wrong_answers": sum(row["wrong_answers"] for row in sessions),
            "late_submissions": sum(row["late_submissions"] for row in sessions),
            "mean_duration_seconds": statistics.fmean(row["duration_seconds"] for row in sessions),
        }
    ]


def _order(answer: Answer) -> tuple[dt.datetime, int]:
    """First and last answer of a student to a question; attempts never tie."""
    return answer.at, answer.attempt
