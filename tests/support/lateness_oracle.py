"""The rule of lateness (DESIGN 5), written a second time: what every test of it compares with.

It imports nothing of ours. Events and settings are mappings with the names of the contract and of
the table ``lateness_settings``; a name that is missing is None.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

SUBMISSIONS = {"answer_submit", "answer_resubmit", "answer", "test_submit"}

Event = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Answer:
    """The five columns of an event that the rule fills."""

    late_status: str
    is_late_submission: bool | None = None
    late_by_seconds: float | None = None
    deadline_ts: dt.datetime | None = None
    deadline_source: str | None = None


def answer(
    event: Event,
    session: Iterable[Event] = (),
    settings: Iterable[Row] = (),
    expiry: dt.datetime | None = None,
) -> Answer:
    """What may be said of an event.

    Args:
        event: any event.
        session: what is known of its session; only its session_start events count.
        settings: the rows of ``lateness_settings``.
        expiry: the one that the operational database has for the session by now.
    """
    if event["event_type"] not in SUBMISSIONS:
        return Answer("NOT_APPLICABLE")
    rows = list(settings)
    ways = [(expiry, "database"), *_deadlines(event, _start_record(session), rows)]
    found = next(((when, source) for when, source in ways if when is not None), None)
    if found is None:
        verdict = event.get("is_late_submission")
        if verdict is None:
            return Answer("UNKNOWN")
        return Answer(_status(verdict), bool(verdict), deadline_source="client")
    deadline, source = found
    late = event["client_ts"] > deadline + _grace(event["test_id"], rows)
    seconds = (event["client_ts"] - deadline) / dt.timedelta(seconds=1) if late else None
    return Answer(_status(late), late, seconds, deadline, source)


def _status(late: object) -> str:
    return "LATE" if late else "ON_TIME"


def _start_record(session: Iterable[Event]) -> Event | None:
    """Rule 1: the earliest session_start by (client_ts, event_id)."""
    starts = [event for event in session if event["event_type"] == "session_start"]
    return min(starts, key=lambda e: (e["client_ts"], e["event_id"]), default=None)


def _deadlines(
    event: Event, start: Event | None, settings: list[Row]
) -> list[tuple[dt.datetime | None, str]]:
    """Rule 2: every way to build a deadline, in the order in which they count, and its source."""
    own_start, own_seconds = event.get("session_start_ts"), event.get("session_duration_seconds")
    its_start = its_seconds = its_expiry = None
    if start is not None:
        its_start = start.get("session_start_ts") or start["client_ts"]
        its_seconds = start.get("session_duration_seconds")
        its_expiry = start.get("session_expiry_ts")
    of_test = _own("duration_seconds", event["test_id"], settings)
    of_all = _own("duration_seconds", None, settings)
    began = own_start or its_start
    return [
        (event.get("session_expiry_ts"), "payload"),
        (_after(own_start, own_seconds), "payload"),
        (its_expiry, "session"),
        (_after(began, own_seconds), "mixed"),
        (_after(own_start, its_seconds), "mixed"),
        (_after(its_start, its_seconds), "session"),
        (_after(began, of_test), "test"),
        (_after(began, of_all), "default"),
    ]


def _after(began: dt.datetime | None, seconds: int | None) -> dt.datetime | None:
    return None if began is None or seconds is None else began + dt.timedelta(seconds=seconds)


def _own(column: str, test_id: str | None, settings: list[Row]) -> int | None:
    """A constant from this test's row; a test_id of None is the row for every test."""
    return next((row.get(column) for row in settings if row.get("test_id") == test_id), None)


def _grace(test_id: str, settings: list[Row]) -> dt.timedelta:
    """Rule 4: the test's own grace, else that of every test, else none."""
    own = _own("grace_seconds", test_id, settings)
    of_all = _own("grace_seconds", None, settings)
    return dt.timedelta(seconds=next((s for s in (own, of_all) if s is not None), 0))
