"""Payloads for the tests of the pipeline."""

import datetime as dt
import json
from typing import Any

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def event(event_id: str = "event-1", **changes: Any) -> dict[str, Any]:
    """A valid answer_submit of this moment, with these fields changed."""
    return {
        "event_id": event_id,
        "event_type": "answer_submit",
        "test_id": "test-1",
        "student_id": "student-1",
        "session_id": "session-1",
        "client_ts": NOW.isoformat(),
        "question_id": "question-1",
        "is_correct_answer": True,
        "attempt_no": 1,
    } | changes


def bodies(*payloads: dict[str, Any] | bytes) -> list[bytes]:
    """Payloads as they are sent; bytes are broken ones and stay."""
    return [p if isinstance(p, bytes) else json.dumps(p).encode() for p in payloads]
