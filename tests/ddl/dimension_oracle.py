"""Dimensions in plain Python, from the rows of the tables and the design's words.

Shares no code with the SQL. Rows are as the tables take them; moments are datetimes.
"""

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
FIRST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
ATTRIBUTES = ("school_id", "grade", "teacher_id")


def students(changes: Iterable[Row]) -> list[Row]:
    """students_dim without student_key."""
    found = []
    for key, history in _histories(changes, "student").items():
        rows = [(version["version_ts"], _row(version)) for version in history]
        merged = [next(same) for _, same in itertools.groupby(rows, key=lambda pair: pair[1])]
        begins = [FIRST, *(moment for moment, _ in merged[1:]), None]
        for (_, row), begin, end in zip(merged, begins, begins[1:], strict=False):
            found.append(
                {
                    "student_id": key,
                    **{name: (row or {}).get(name) for name in ATTRIBUTES},
                    "attributes": row,
                    "valid_from": begin,
                    "valid_to": end,
                    "is_current": end is None,
                    "is_deleted": row is None,
                }
            )
    return found


def as_of(changes: Iterable[Row], key: str, moment: dt.datetime) -> Row | None:
    """The row of a student at a moment; None where deleted. The first reaches back for ever."""
    history = _histories(changes, "student")[key]
    begun = [version for version in history if version["version_ts"] <= moment]
    return _row(begun[-1] if begun else history[0])


def durations(changes: Iterable[Row]) -> dict[str, int]:
    """Seconds that a session of a test may last, by test_id; of a deleted test the last."""
    found = {}
    for key, history in _histories(changes, "test").items():
        rows = [version["row"] for version in history if version["op"] == "upsert"]
        seconds = rows[-1].get("duration_seconds") if rows else None
        if isinstance(seconds, int) and 0 < seconds <= 7 * 24 * 60 * 60:
            found[key] = seconds
    return found


def rules(settings: Iterable[Row], changes: Iterable[Row]) -> list[Row]:
    """lateness_rules."""
    of_tests = durations(changes)
    rows = [dict(row) for row in settings]
    for row in rows:
        if row.get("duration_seconds") is None:
            row["duration_seconds"] = of_tests.get(row["test_id"])
    known = {row["test_id"] for row in rows}
    missing = [test for test in of_tests if test not in known]
    return rows + [{"test_id": test, "duration_seconds": of_tests[test]} for test in missing]


def expiries(changes: Iterable[Row]) -> dict[str, dt.datetime]:
    """expiry_ts of each session, by session_id."""
    upserts = [row for row in _kept(changes) if row["op"] == "upsert"]
    return {row["session_id"]: row["expiry_ts"] for row in sorted(upserts, key=_order)}


def _histories(changes: Iterable[Row], dimension: str) -> dict[str, list[Row]]:
    """The changes of each key in order, of those of one moment the last."""
    found: dict[str, list[Row]] = {}
    for row in sorted(_kept(changes), key=_order):
        if row["dimension"] == dimension:
            history = found.setdefault(row["key"], [])
            if history and history[-1]["version_ts"] == row["version_ts"]:
                history.pop()
            history.append(row)
    return found


def _row(version: Row) -> Row | None:
    return version["row"] if version["op"] == "upsert" else None


def _kept(rows: Iterable[Row]) -> list[Row]:
    """Of an event's copies the one that was published first."""
    first: dict[str, Row] = {}
    for row in sorted(rows, key=lambda r: (r["publish_ts"], r["message_id"], r["ingest_ts"])):
        first.setdefault(row["event_id"], row)
    return list(first.values())


def _order(row: Row) -> tuple[Any, ...]:
    return row["version_ts"], row.get("position") or 0, row["publish_ts"], row["event_id"]
