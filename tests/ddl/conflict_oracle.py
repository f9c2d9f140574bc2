"""The view event_conflicts in plain Python: copies of one event that differ."""

from typing import Any

Row = dict[str, Any]

ROWS = ("answers", "submissions", "sessions")
CONTRACT = (
    "event_type",
    "test_id",
    "student_id",
    "session_id",
    "client_ts",
    "question_id",
    "answer",
    "is_correct_answer",
    "attempt_no",
    "session_start_ts",
    "session_expiry_ts",
    "session_duration_seconds",
    "client_is_late_submission",
    "error_payload",
    "completion_status",
    "extra",
)


def copy_order(row: Row) -> tuple[Any, ...]:
    return row["publish_ts"], row["message_id"], row["ingest_ts"]


def conflict(copies: list[Row]) -> Row | None:
    table, *digests = copies[0]["event_id"].split(":")
    is_of_row = table in ROWS and [len(digest) for digest in digests] == [16, 16]
    differing = [
        name.removeprefix("client_") if name == "client_is_late_submission" else name
        for name in CONTRACT
        if any(row.get(name) != copies[0].get(name) for row in copies)
        and not (is_of_row and name in ("session_expiry_ts", "is_correct_answer"))
    ]
    if not differing:
        return None
    return {
        "event_id": copies[0]["event_id"],
        "event_date": min(copies, key=copy_order)["client_ts"].date(),
        "copies": len({row["message_id"] for row in copies}),
        "first_publish_ts": min(row["publish_ts"] for row in copies),
        "last_publish_ts": max(row["publish_ts"] for row in copies),
        "differing_fields": differing,
    }
