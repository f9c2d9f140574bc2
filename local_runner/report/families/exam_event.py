"""What the report shows of the exam events."""

import datetime as dt
from typing import Any

from local_runner.report import charts
from local_runner.report.charts import Bar
from local_runner.report.shown import Chart, FamilyReport, Query, Rows


def question(test_id: str, question_id: str) -> str:
    """The question's id, after its test's unless it begins with that: ids repeat among tests."""
    if question_id.startswith(f"{test_id}-"):
        return question_id
    return f"{test_id}: {question_id}"


def _by_hour(title: str, view: str, ink: str) -> Chart:
    return Chart(
        title,
        Query(view),
        lambda rows: charts.by_hour(rows, "Sessions", ink),
        lambda rows: _summary(title, rows),
    )


def _by_question(rows: Rows) -> charts.Drawings:
    bars = [Bar(question(*ids), count, charts.WRONG) for *ids, count in rows]
    return charts.by_name(bars, "Wrong first submissions", full=True)


def _summary(title: str, rows: Rows) -> str:
    labels: list[Any]
    *labels, count = max(rows, key=lambda row: row[-1])
    total = sum(row[-1] for row in rows)
    if isinstance(labels[0], dt.datetime):
        unit, place = "hour", f"at {labels[0]:%b %d %H:%M} UTC"
    else:
        unit, place = "question", f"for {question(*labels)}"
    units = f"{len(rows):,} {unit}{'s' if len(rows) > 1 else ''}"
    return f"{title}: {total:,} in total over {units}; the most, {count:,}, {place}."


_WRONG = "Questions with the most wrong first submissions"

# Of the summaries as many columns as fit a screen.
REPORT = FamilyReport(
    summaries=(
        Query(
            "test_summary",
            "test_id, sessions, completed_sessions, submitted_sessions, total_answers, "
            "correct_answers, wrong_answers, late_submissions, mean_duration_seconds",
            "test_id",
        ),
        Query(
            "session_summary",
            "test_id, student_id, session_start_time, duration_seconds, is_complete, "
            "total_answers_submitted, correct_answers, wrong_answers, total_store_errors, "
            "late_submissions",
            "session_start_time IS NULL, session_start_time, session_id",
        ),
        Query(
            "question_summary",
            "question_id, total_page_views, total_attempts, total_resubmits, correct_answers, "
            "wrong_answers, wrong_answer_rate, first_answer_error_rate, late_submissions",
            "wrong_answer_rate DESC, question_id",
        ),
    ),
    charts=(
        _by_hour("Session starts by hour", "session_starts_by_hour", charts.STARTS),
        _by_hour("Session completions by hour", "session_completions_by_hour", charts.COMPLETIONS),
        Chart(
            _WRONG,
            Query("wrong_answers_by_question"),
            _by_question,
            lambda rows: _summary(_WRONG, rows),
            full=True,
        ),
    ),
    note="Correct and wrong answers count first submissions only, not resubmissions.",
)
