"""Golden cases: rows in and rows out, as data.

``cases/<case>/given/<table>.json`` holds the rows of a table, ``expected/<view>.json`` what the
view gives, ``expected/<view>.<date>.json`` what its table function gives for that one day. So do
``<check>.json`` and ``<check>.<date>.json`` for the number of findings of a check.
``lateness.json`` is the view events with the columns of the lateness only. A row that goes in
takes a default for what it leaves out; a row that comes out is null, 0 or false in every column
that the file does not name.
"""

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

from google.cloud.bigquery import ScalarQueryParameter

from ddl import check as checks
from ddl import statements
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.tables import DEAD_LETTERS, EVENTS_FACT

Row = dict[str, Any]

CASES = Path(__file__).parent / "cases"
LATENESS = (
    "event_id, late_status, is_late_submission, late_by_seconds, deadline_ts, deadline_source"
)
JSON_COLUMNS = {"error_payload", "extra", "attributes"}
IDS = {"session_id": "x1", "test_id": "t1", "student_id": "s1"}


@dataclasses.dataclass(frozen=True)
class Expected:
    """What one view gives, over all dates or for one ``day``, or what one check finds."""

    view: str
    day: str | None
    rows: list[Row]


@dataclasses.dataclass(frozen=True)
class Case:
    """Rows for the tables, and the rows expected from the views."""

    tables: dict[str, list[Row]]
    expected: list[Expected]


def names() -> list[str]:
    return sorted(path.name for path in CASES.iterdir())


def load(name: str) -> Case:
    given = _rows(CASES / name / "given")
    tables = {
        EVENTS_FACT: [fact(row, place) for place, row in enumerate(given.pop(EVENTS_FACT), 1)],
        DEAD_LETTERS: [
            letter(row, place) for place, row in enumerate(given.pop(DEAD_LETTERS, []), 1)
        ],
    }
    expected = [
        Expected(view, day or None, rows)
        for stem, rows in sorted(_rows(CASES / name / "expected").items())
        for view, _, day in [stem.partition(".")]
    ]
    return Case(tables | given, expected)


def _rows(folder: Path) -> dict[str, list[Row]]:
    return {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}


def query(dataset: Dataset, expected: Expected) -> str:
    """The SQL whose rows are expected."""
    if expected.view in statements.CHECKS:
        return next(c.counting for c in checks.checks(dataset) if c.name == expected.view)
    view, columns = expected.view, "*"
    if view == "lateness":
        view, columns = "events", LATENESS
    if expected.day is None:
        return f"SELECT {columns} FROM `{dataset.table(view)}`"
    day = f"DATE '{expected.day}'"
    return f"SELECT {columns} FROM `{dataset.table(view)}_between`({day}, {day})"


def parameters(expected: Expected) -> list[ScalarQueryParameter]:
    """What that SQL asks for: the dates, where it is a check."""
    if expected.view not in statements.CHECKS:
        return []
    day = expected.day and dt.date.fromisoformat(expected.day)
    return checks.parameters(day or EARLIEST_DATE, day or LATEST_DATE)


def check(rows: list[Row], expected: Expected, *, ordered: bool) -> None:
    """Asserts that a view gave the expected rows, ``ordered`` or in any order."""
    got = [plain(row) for row in rows]
    want = [plain(row) for row in expected.rows]
    if not ordered:
        got, want = sorted(got, key=_identity), sorted(want, key=_identity)
    assert [_identity(row) for row in got] == [_identity(row) for row in want], expected.view
    for actual, named in zip(got, want, strict=True):
        shown = {name: value for name, value in actual.items() if value or name in named}
        assert shown == named, expected.view


def _identity(row: Row) -> str:
    keys = ("event_id", "session_id", "test_id", "question_id", "hour", "finding")
    return "/".join(str(row.get(key)) for key in keys)


def fact(row: Row, place: int) -> Row:
    """A row of events_fact."""
    publish_ts = row.get("publish_ts", row["client_ts"])
    return {
        **IDS,
        "event_date": row["client_ts"][:10],
        "publish_ts": publish_ts,
        "ingest_ts": publish_ts,
        "message_id": f"m{place}",
        "late_status": "NOT_APPLICABLE",
        "pipeline_version": "test",
        **row,
    }


def letter(row: Row, place: int) -> Row:
    """A row of dead_letters, a store_error unless it says otherwise."""
    failed_at = row.get("failed_at", row.get("client_ts"))
    return {
        **IDS,
        "error_kind": "store_error",
        "failed_at": failed_at,
        "failed_date": failed_at and failed_at[:10],
        "publish_time": row.get("client_ts", failed_at),
        "message_id": f"d{place}",
        **row,
    }


def as_text(row: Row) -> Row:
    """The row as BigQuery takes it in: JSON columns as JSON text."""
    return {
        name: json.dumps(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in row.items()
    }


def plain(value: Any) -> Any:
    match value:
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date():
            return value.isoformat()
        case int() | float():
            return round(float(value), 9)
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case _:
            return value
