"""Golden cases: rows in and rows out, as data.

``cases/<case>/given/<table>.json`` holds the rows of a table, ``expected/<view>.json`` what the
view gives, ``expected/<view>.<date>.json`` what its table function gives for that one day. So do
``<check>.json`` and ``<check>.<date>.json`` for the number of findings of a check.
``lateness.json`` and ``event_types.json`` are the view events with some columns only,
``last_events.json`` the view orders_current with those that say which event won, ``students.json``
and ``sessions.json`` students_dim and sessions_fact_live without student_key. A row that goes in
takes a default for what it leaves out; a row that comes out is null, 0 or false in every column
that the file does not name. A NUMERIC with decimals is text.
"""

import dataclasses
import datetime as dt
import decimal
import functools
import json
from pathlib import Path
from typing import Any

from google.cloud.bigquery import ScalarQueryParameter

from ddl import check as checks
from ddl import files
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.families import DEFAULT_FAMILY, FAMILIES
from schemas.family import EventFamily
from schemas.tables import DEAD_LETTERS

Row = dict[str, Any]

CASES = Path(__file__).parent / "cases"
# Views of which a case shows some columns only, and those.
SHORT = {
    "lateness": (
        "events",
        "event_id, late_status, is_late_submission, late_by_seconds, deadline_ts, deadline_source",
    ),
    "event_types": ("events", "event_id, event_type"),
    "last_events": ("orders_current", "order_id, event_id, customer_id, status, total_amount"),
    "students": ("students_dim", "* EXCEPT (student_key)"),
    "sessions": ("sessions_fact_live", "* EXCEPT (student_key)"),
}
_EXACT = decimal.Context(prec=76)
JSON_COLUMNS = {"error_payload", "extra", "attributes", "row", "private_row", "kept_row", "data"}
IDS = {"session_id": "x1", "test_id": "t1", "student_id": "s1"}
# What a fact of each family takes for what a case leaves out.
DEFAULTS: dict[str, Row] = {
    "exam_event": {**IDS, "late_status": "NOT_APPLICABLE"},
    "orders": {
        "event_type": "order",
        "order_id": "o1",
        "customer_id": "c1",
        "status": "pending",
        "items": [{"product_id": "p1", "product_name": "Lamp", "quantity": 1, "price": "10"}],
        "shipping_address": {"street": "1 Quay", "city": "Oslo", "country": "Norway"},
        "total_amount": "10",
    },
    "inventory": {
        "event_type": "inventory_changed",
        "inventory_id": "i1",
        "product_id": "p1",
        "warehouse_id": "w1",
        "reason": "restock",
    },
    "user_activity": {
        "event_type": "user_activity",
        "user_id": "u1",
        "ip_address": "192.0.2.1",
        "user_agent": "test",
        "metadata": {"session_id": "s1", "platform": "web"},
    },
    "learner_event": {"learner_id": "l1", "session_id": "s1", "version": "1.0"},
    "dimension_change": {
        "event_type": "dimension_change",
        "dimension": "student",
        "op": "upsert",
        "contract_version": "1",
    },
    "session_change": {
        "event_type": "session_change",
        "session_id": "x1",
        "op": "upsert",
        "contract_version": "1",
    },
}


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
    makers = {family.table: functools.partial(fact, family=family) for family in FAMILIES.values()}
    makers[DEAD_LETTERS] = letter
    for table, make in makers.items():
        given[table] = [make(row, place) for place, row in enumerate(given.get(table, []), 1)]
    expected = [
        Expected(view, day or None, rows)
        for stem, rows in sorted(_rows(CASES / name / "expected").items())
        for view, _, day in [stem.partition(".")]
    ]
    return Case(given, expected)


def _rows(folder: Path) -> dict[str, list[Row]]:
    return {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}


def query(dataset: Dataset, expected: Expected) -> str:
    """The SQL whose rows are expected."""
    if expected.view in files.find("checks"):
        return _counting(dataset)[expected.view]
    view, columns = SHORT.get(expected.view, (expected.view, "*"))
    if expected.day is None:
        return f"SELECT {columns} FROM `{dataset.table(view)}`"
    day = f"DATE '{expected.day}'"
    return f"SELECT {columns} FROM `{dataset.table(view)}_between`({day}, {day})"


@functools.lru_cache(maxsize=2)
def _counting(dataset: Dataset) -> dict[str, str]:
    every = checks.checks(dataset, tuple(FAMILIES.values()))
    return {check.name: check.counting for check in every}


def parameters(expected: Expected) -> list[ScalarQueryParameter]:
    """What that SQL asks for: the dates, where it is a check."""
    if expected.view not in files.find("checks"):
        return []
    day = expected.day and dt.date.fromisoformat(expected.day)
    return checks.parameters(day or EARLIEST_DATE, day or LATEST_DATE)


def query_with_dates(dataset: Dataset, expected: Expected) -> str:
    """That SQL with its parameters filled in."""
    sql = query(dataset, expected)
    for parameter in parameters(expected):
        sql = sql.replace(f"@{parameter.name}", f"DATE '{parameter.value}'")
    return sql


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


def assert_equal(view: str, got: list[Row], expected: list[Row]) -> None:
    """Asserts that a view gave exactly these rows, in any order."""

    def known(row: Row) -> Row:
        values = {name: value for name, value in row.items() if value is not None}
        for name in JSON_COLUMNS & values.keys():
            if isinstance(values[name], str):
                values[name] = json.loads(values[name])
        return {name: plain(value) for name, value in values.items()}

    def ordered(rows: list[Row]) -> list[Row]:
        return sorted(map(known, rows), key=lambda row: json.dumps(row, sort_keys=True))

    assert ordered(got) == ordered(expected), view


def _identity(row: Row) -> str:
    keys = ("event_id", "session_id", "test_id", "question_id", "hour", "finding")
    keys += ("customer_id", "product_id", "warehouse_id", "event_date", "activity_type")
    keys += ("student_id", "teacher_id", "valid_from", "session_date")
    keys += ("learner_id", "minute_ts", "content_type", "content_id", "item_id")
    return "/".join(str(row.get(key)) for key in keys)


def fact(row: Row, place: int, family: EventFamily = DEFAULT_FAMILY) -> Row:
    """A row of a family's fact table; a change was published when it took effect."""
    publish_ts = row.get("publish_ts", row.get("version_ts", row.get(family.event_time)))
    partition_time = publish_ts if family.event_time is None else row[family.event_time]
    return {
        **DEFAULTS[family.name],
        "event_id": f"e{place}",
        "event_date": partition_time[:10],
        "publish_ts": publish_ts,
        family.column("ingest_ts"): publish_ts,
        "message_id": f"m{place}",
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
        case decimal.Decimal() if value != value.to_integral_value() or abs(value) > 2**53:
            return format(value.normalize(_EXACT), "f")  # as TO_JSON_STRING writes it
        case int() | float() | decimal.Decimal():
            return round(float(value), 9)
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case _:
            return value
