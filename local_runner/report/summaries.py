"""Reads the summary and KPI views for the report."""

import dataclasses
import datetime as dt
from typing import Any

from google.cloud import bigquery

from gcp.dataset import Dataset

# By view: the order of its rows, and as many columns as fit a screen.
_SUMMARIES = {
    "test_summary": (
        "test_id",
        "test_id, sessions, completed_sessions, submitted_sessions, total_answers, "
        "correct_answers, wrong_answers, late_submissions, mean_duration_seconds",
    ),
    "session_summary": (
        "session_start_time IS NULL, session_start_time, session_id",
        "test_id, student_id, session_start_time, duration_seconds, is_complete, "
        "total_answers_submitted, correct_answers, wrong_answers, total_store_errors, "
        "late_submissions",
    ),
    "question_summary": (
        "wrong_answer_rate DESC, question_id",
        "question_id, total_page_views, total_attempts, total_resubmits, correct_answers, "
        "wrong_answers, wrong_answer_rate, first_answer_error_rate, late_submissions",
    ),
}
_KPIS = ("session_starts_by_hour", "session_completions_by_hour", "wrong_answers_by_question")


@dataclasses.dataclass(frozen=True)
class View:
    """Rows of a view.

    Attributes:
        name: the view.
        columns: column names.
        rows: values in the order of the columns; timestamps are aware, UTC.
    """

    name: str
    columns: list[str]
    rows: list[tuple[Any, ...]]

    def numeric(self) -> list[bool]:
        """For each column, whether it holds numbers."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return [any(type(value) in (int, float) for value in column) for column in columns]

    def shown(self) -> list[tuple[Any, ...]]:
        """The rows with timestamps as text."""
        return [tuple(map(_readable, row)) for row in self.rows]


def first_rows(client: bigquery.Client, dataset: Dataset, count: int = 5) -> list[View]:
    """The first rows of each summary."""
    return [
        _read(
            client,
            name,
            f"SELECT {columns} FROM `{dataset.table(name)}` ORDER BY {order} LIMIT {count}",  # noqa: S608
        )
        for name, (order, columns) in _SUMMARIES.items()
    ]


def kpis(client: bigquery.Client, dataset: Dataset) -> list[View]:
    """The three KPI views, whole."""
    return [_read(client, n, f"SELECT * FROM `{dataset.table(n)}`") for n in _KPIS]  # noqa: S608


def _read(client: bigquery.Client, name: str, sql: str) -> View:
    result = client.query(sql).result()
    return View(
        name, [field.name for field in result.schema], [tuple(row.values()) for row in result]
    )


def _readable(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, dt.datetime) else value
