"""What each panel must show, in plain Python from the rows of the views and tables.

Shares neither SQL nor the model with what it checks. Medians are left out: BigQuery's are
approximate.
"""

import collections
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Rows = list[Row]


def panel(name: str, rows: Rows, filters: dict[str, str]) -> Rows:
    """The rows of a panel, in no order, from those of its view on the dates."""
    kept = [row for row in rows if all(row.get(key) == value for key, value in filters.items())]
    return PANELS[name](kept)


def _grouped(rows: Rows, *keys: str) -> dict[tuple[Any, ...], Rows]:
    groups = collections.defaultdict(list)
    for row in rows:
        groups[tuple(row.get(key) for key in keys)].append(row)
    return groups


def _hour(value: str) -> str:
    moment = dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    return moment.replace(minute=0, second=0, microsecond=0).isoformat()


def _by_hour(time: str, hour: str) -> Callable[[Rows], Rows]:
    def count(rows: Rows) -> Rows:
        hours = collections.Counter(_hour(row[time]) for row in rows if row[time])
        return [{hour: key, "sessions": number} for key, number in hours.items()]

    return count


def _accuracy(rows: Rows) -> float | None:
    right = sum(row["final_correct_answers"] for row in rows)
    graded = right + sum(row["final_wrong_answers"] for row in rows)
    return right / graded if graded else None


def _bands(rows: Rows) -> Rows:
    found: collections.Counter[float] = collections.Counter()
    for row in rows:
        right, wrong = row["final_correct_answers"], row["final_wrong_answers"]
        if right + wrong:
            found[min(10 * right // (right + wrong), 9) / 10] += 1
    return [{"accuracy_band": band, "sessions": number} for band, number in found.items()]


def _totals(rows: Rows) -> Rows:
    durations = [row["duration_seconds"] for row in rows if row["duration_seconds"] is not None]
    sums = {"answers": "total_answers_submitted", "late_submissions": "late_submissions"}
    return [
        {
            "sessions": len(rows),
            "completed_sessions": sum(row["is_complete"] for row in rows),
            "accuracy": _accuracy(rows),
            "duration": sum(durations) / len(durations) if durations else None,
        }
        | {
            name: sum(row[column] for row in rows) if rows else None
            for name, column in sums.items()
        }
    ]


def _funnel(rows: Rows) -> Rows:
    return [
        {
            "test_id": test,
            "started_sessions": sum(row["session_start_time"] is not None for row in own),
            "answering_sessions": sum(row["total_answers_submitted"] > 0 for row in own),
            "submitted_sessions": sum(row["test_submit_flag"] for row in own),
            "completed_sessions": sum(row["is_complete"] for row in own),
            "accuracy": _accuracy(own),
        }
        for (test,), own in _grouped(rows, "test_id").items()
    ]


def _questions(rows: Rows) -> Rows:
    columns = {
        "test_id": "test_id",
        "question_id": "question_id",
        "wrong_answers": "wrong_answers",
        "correct_answers": "correct_answers",
        "attempts": "total_attempts",
        "wrong_rate": "wrong_answer_rate",
        "resubmits": "total_resubmits",
    }
    return [{name: row[column] for name, column in columns.items()} for row in rows]


def _answers(rows: Rows) -> Rows:
    given = [row for row in rows if row["event_type"].startswith("answer_")]
    return [
        {
            "answer": answer,
            "is_correct_answer": right,
            "answers": len(own),
            "sessions": len({row["session_id"] for row in own}),
        }
        for (answer, right), own in _grouped(given, "answer", "is_correct_answer").items()
    ]


def _late(rows: Rows) -> Rows:
    sent = [row for row in rows if row["late_status"] != "NOT_APPLICABLE"]
    return [
        {
            "test_id": test,
            "submissions": len(own),
            "late": (late := sum(row["late_status"] == "LATE" for row in own)),
            "late_share": late / len(own),
            "worst_lateness": max(
                (row["late_by_seconds"] for row in own if row["late_by_seconds"] is not None),
                default=None,
            ),
            "unknown": sum(row["late_status"] == "UNKNOWN" for row in own),
        }
        for (test,), own in _grouped(sent, "test_id").items()
    ]


def _letters(rows: Rows) -> Rows:
    timed = [row | {"hour": _hour(row["failed_at"])} for row in rows if row.get("failed_at")]
    return [
        {
            "failed_hour": hour,
            "error_kind": kind,
            "dead_letters": len({row["message_id"] for row in own}),
        }
        for (hour, kind), own in _grouped(timed, "hour", "error_kind").items()
    ]


def _events_by_hour(rows: Rows) -> Rows:
    timed = [row | {"hour": _hour(row["publish_ts"])} for row in rows]
    return [
        {
            "publish_hour": hour,
            "events": (events := len({row["event_id"] for row in own})),
            "duplicates": len({row["message_id"] for row in own}) - events,
        }
        for (hour,), own in _grouped(timed, "hour").items()
    ]


def _shop_totals(rows: Rows) -> Rows:
    revenue = sum(Decimal(row["total_amount"]) for row in rows)
    return [
        {
            "orders": len(rows),
            "revenue": revenue if rows else None,
            "delivered_orders": sum(row["status"] == "delivered" for row in rows),
            "customers": len({row["customer_id"] for row in rows}),
        }
    ]


def _revenue(rows: Rows) -> Rows:
    timed = [row | {"hour": _hour(row["order_date"])} for row in rows]
    return [
        {
            "step_hour": hour,
            "status": status,
            "revenue": sum(Decimal(row["total_amount"]) for row in own),
            "orders": len(own),
        }
        for (hour, status), own in _grouped(timed, "hour", "status").items()
    ]


def _steps(rows: Rows) -> Rows:
    return [
        {
            "activity_type": step,
            "events": len(own),
            "users": len({row["user_id"] for row in own}),
        }
        for (step,), own in _grouped(rows, "activity_type").items()
    ]


def _low_stock(rows: Rows) -> Rows:
    names = ("product_id", "warehouse_id", "quantity")
    return [{name: row[name] for name in names} for row in rows if row["quantity"] < 10]


PANELS: dict[str, Callable[[Rows], Rows]] = {
    "totals": _totals,
    "starts": _by_hour("session_start_time", "start_hour"),
    "completions": _by_hour("session_end_time", "end_hour"),
    "hardest_questions": _questions,
    "answers_given": _answers,
    "accuracy": _bands,
    "late": _late,
    "funnel": _funnel,
    "events_by_hour": _events_by_hour,
    "dead_letters_by_hour": _letters,
    "shop_totals": _shop_totals,
    "revenue_by_hour": _revenue,
    "activity": _steps,
    "low_stock": _low_stock,
}
