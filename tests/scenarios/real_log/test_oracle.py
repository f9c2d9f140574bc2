"""The oracle on a log small enough to count by hand."""

import datetime as dt

import pytest

from tests.scenarios.real_log import oracle

START = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
LOG = """\
-60000\t7\tq1\t0
5000\t7\tq1\t1
3000\t7\tq1\t0.9
10000\t8\tq1\t1
10001\t8\tq2\t0
10001\t8\tq2\t1
soon\t9\tq1\t1
3 columns\t9\tq1
"""


@pytest.fixture
def exam(tmp_path):
    path = tmp_path / "quiz.tsv"
    path.write_text(LOG)
    return oracle.read(path, START, dt.timedelta(seconds=10))


def test_lines_are_read(exam):
    assert exam.unparsable == 2
    assert [(a.student, a.question, a.attempt, a.correct) for a in exam.answers] == [
        ("7", "q1", 1, False),
        ("7", "q1", 2, True),
        ("7", "q1", 3, False),
        ("8", "q1", 1, True),
        ("8", "q2", 1, False),
        ("8", "q2", 2, True),
    ]


def test_events_surround_the_answers(exam):
    actual = [
        (row["event_type"], row["student_id"], (row["client_ts"] - START).total_seconds())
        for row in oracle.events(exam)
    ]
    assert actual == [
        ("session_start", "7", 0),
        ("answer_submit", "7", -60),
        ("answer_resubmit", "7", 3),
        ("answer_resubmit", "7", 5),
        ("test_submit", "7", 5),
        ("session_end", "7", 5),
        ("session_start", "8", 0),
        ("answer_submit", "8", 10),
        ("answer_submit", "8", 10.001),
        ("answer_resubmit", "8", 10.001),
        ("test_submit", "8", 10.001),
        ("session_end", "8", 10.001),
    ]


def test_sessions_are_counted(exam):
    seventh, eighth = oracle.session_summary(exam)
    assert seventh == {
        "session_id": "quiz-7",
        "test_id": "quiz",
        "student_id": "7",
        "session_start_time": START,
        "session_end_time": START + dt.timedelta(seconds=5),
        "effective_session_end_time": START + dt.timedelta(seconds=5),
        "duration_seconds": 5.0,
        "is_complete": True,
        "total_page_views": 0,
        "total_answers_submitted": 3,
        "total_resubmits": 2,
        "total_store_errors": 0,
        "test_submit_flag": 1,
        "correct_answers": 0,
        "wrong_answers": 1,
        "final_correct_answers": 1,  # by the clock, not by the attempt
        "final_wrong_answers": 0,
        "late_submissions": 0,
    }
    assert eighth["late_submissions"] == 3  # with the test_submit; at the deadline is on time
    assert [eighth[f"final_{answers}_answers"] for answers in ("correct", "wrong")] == [2, 0]


def test_questions_are_counted(exam):
    first, second = oracle.question_summary(exam)
    assert first == {
        "test_id": "quiz",
        "question_id": "q1",
        "total_page_views": 0,
        "total_attempts": 4,
        "total_resubmits": 2,
        "correct_answers": 1,
        "wrong_answers": 1,
        "wrong_answer_rate": 0.25,
        "first_answer_error_rate": 0.5,
        "final_correct_answers": 2,
        "final_wrong_answers": 0,
        "late_submissions": 0,
        "first_seen_ts": START - dt.timedelta(seconds=60),
        "last_seen_ts": START + dt.timedelta(seconds=10),
    }
    assert second["late_submissions"] == 2


def test_the_test_is_counted(exam):
    [row] = oracle.test_summary(exam)
    assert row["mean_duration_seconds"] == 7.5005
    assert row["late_submissions"] == 3
    assert row["total_answers"] == 6


def test_a_session_belongs_to_the_date_of_its_first_event(exam):
    eve, day = exam.dates()
    assert (eve, day) == (dt.date(2026, 1, 31), dt.date(2026, 2, 1))
    assert list(exam.begun_on(eve).sessions()) == ["7"]
    assert list(exam.begun_on(day).sessions()) == ["8"]
