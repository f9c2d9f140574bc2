"""Lateness in plain Python, from the text of DESIGN 5; no code of transforms/lateness.py."""

import datetime as dt
from typing import Any

Row = dict[str, Any]

SECOND = dt.timedelta(seconds=1)
SUBMISSIONS = ("answer_submit", "answer_resubmit", "test_submit")


def lateness(event: Row, start: Row | None, settings: dict[str | None, Row]) -> Row:
    """The five columns that the view events recomputes (DESIGN 5)."""
    nothing = dict.fromkeys(
        ("is_late_submission", "late_by_seconds", "deadline_ts", "deadline_source")
    )
    if event["event_type"] not in SUBMISSIONS:
        return nothing | {"late_status": "NOT_APPLICABLE"}
    deadline, source = _deadline(event, start or {}, settings)
    if deadline is None:
        late, source = event.get("client_is_late_submission"), "client"
        if late is None:
            return nothing | {"late_status": "UNKNOWN"}
    else:
        grace = _setting(settings, event["test_id"], "grace_seconds")
        if grace is None:
            grace = _setting(settings, None, "grace_seconds") or 0
        late = event["client_ts"] > deadline + grace * SECOND
    return {
        "is_late_submission": late,
        "late_status": "LATE" if late else "ON_TIME",
        "late_by_seconds": (event["client_ts"] - deadline) / SECOND if late and deadline else None,
        "deadline_ts": deadline,
        "deadline_source": source,
    }


def _deadline(
    event: Row, start: Row, settings: dict[str | None, Row]
) -> tuple[dt.datetime | None, str]:
    own_start, own_seconds = event.get("session_start_ts"), event.get("session_duration_seconds")
    if event.get("session_expiry_ts"):
        return event["session_expiry_ts"], "payload"
    if own_start and own_seconds:
        return own_start + own_seconds * SECOND, "payload"
    if start.get("session_expiry_ts"):
        return start["session_expiry_ts"], "session"
    begin = own_start or start.get("session_start_ts") or start.get("client_ts")
    choices = (
        ("mixed", own_seconds),
        ("mixed" if own_start else "session", start.get("session_duration_seconds")),
        ("test", _setting(settings, event["test_id"], "duration_seconds")),
        ("default", _setting(settings, None, "duration_seconds")),
    )
    for source, seconds in choices:
        if seconds and begin:
            return begin + seconds * SECOND, source
    return None, ""


def _setting(settings: dict[str | None, Row], test_id: str | None, name: str) -> int | None:
    return settings.get(test_id, {}).get(name)
