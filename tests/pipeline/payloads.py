"""Payloads of every kind of fact and of dead letter, and how the tables show them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from tests.pipeline.events import NOW, event

LATE = event("late", session_expiry_ts=(NOW - dt.timedelta(seconds=90)).isoformat())
ON_TIME = event(
    "on-time",
    session_start_ts=(NOW - dt.timedelta(seconds=60)).isoformat(),
    session_duration_seconds=60,
)
VERDICT = event("verdict", is_late_submission=1)
UNKNOWN = event("unknown", brand_new={"b": 1, "a": 12345678901234567890123})
PAGE_VIEW = event("page-view", event_type="page_view", question_id=None)
STORE_ERROR = event(
    "store-error", event_type="store_error", error_payload={"code": "db_store_failed"}
)
FACTS = [LATE, ON_TIME, VERDICT, UNKNOWN, PAGE_VIEW]
DEAD = [
    STORE_ERROR,
    b"{broken",
    b"",
    event("too-large", answer="x" * 300_000),
    event("bad-type", attempt_no=0),
    event("no-question", question_id=None),
    event("old", client_ts="2001-01-01T00:00:00Z"),
]
KINDS = {
    "store_error": 1,
    "not_json": 2,
    "too_large": 1,
    "schema_violation": 1,
    "rule_violation": 2,
}
JUDGED = """
    SELECT event_id, late_status, is_late_submission, late_by_seconds, deadline_source,
        client_is_late_submission, TO_JSON_STRING(extra) AS extra
    FROM {dataset}.events_fact ORDER BY event_id, message_id
"""
BY_KIND = "SELECT error_kind, COUNT(*) AS n FROM {dataset}.dead_letters GROUP BY error_kind"


def kinds(rows_of: Callable[[str], list[dict[str, Any]]]) -> dict[str, int]:
    """How many dead letters there are of each kind."""
    return {row["error_kind"]: row["n"] for row in rows_of(BY_KIND)}
