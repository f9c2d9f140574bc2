"""Rows in, a run, rows out: what the tests of runs share."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ddl import files
from tests.conftest import Warehouse
from tests.ddl import golden, stored_oracle
from tests.ddl.golden import Row
from warehouse.metadata import Success
from warehouse.runs import Runner

# What the oracle does not make, and what says when a row was written.
HASHED = ("student_key", "test_bucket")
WRITTEN = ("created_at", "updated_at")


def arrive(warehouse: Warehouse, tables: Mapping[str, Iterable[Row]]) -> None:
    """Writes rows as if their appends were sent now."""
    now = dt.datetime.now(dt.UTC).isoformat()
    for name, rows in tables.items():
        stamped = [golden.as_text(row | _stamp(row, now)) for row in rows]
        if stamped:
            assert not warehouse.client.insert_rows_json(warehouse.dataset.table(name), stamped)


def _stamp(row: Row, now: str) -> Row:
    return {name: now for name in ("ingest_ts", "failed_at") if name in row}


def run(warehouse: Warehouse, overlap_hours: float = 0) -> Success:
    """A scheduled run. Without an overlap a window takes what came in it, and no more."""
    runner = Runner(warehouse.client, warehouse.dataset)
    return runner.run(runner.next_window(dt.timedelta(hours=overlap_hours)))


def stored(warehouse: Warehouse, *left_out: str) -> dict[str, list[Row]]:
    """The rows of the stored tables."""
    return {name: rows(warehouse, name, left_out) for name in files.find("stored")}


def live(warehouse: Warehouse) -> dict[str, list[Row]]:
    """The rows that they should have, by their views."""
    return {name: rows(warehouse, f"{name}_live") for name in files.find("stored")}


def expected(tables: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows that they should have, by plain Python, without HASHED."""
    return {name: _sorted(rows) for name, rows in stored_oracle.stored(dict(tables)).items()}


def rows(warehouse: Warehouse, name: str, left_out: Iterable[str] = ()) -> list[Row]:
    """The rows of a table or view, in order, without these columns and without nulls."""
    sql = f"SELECT * FROM `{warehouse.dataset.table(name)}`"
    found = [dict(row.items()) for row in warehouse.client.query(sql).result()]
    return _sorted({k: v for k, v in row.items() if k not in left_out} for row in found)


def _sorted(rows: Iterable[Row]) -> list[Row]:
    plain = [{k: golden.plain(v) for k, v in row.items() if v is not None} for row in rows]
    return sorted(plain, key=lambda row: json.dumps(row, sort_keys=True))


def days_around(tables: Mapping[str, list[Row]], day: dt.date) -> dict[str, Any]:
    """The rows within a day of that date, so that no session is longer than the margin."""
    near = {(day + dt.timedelta(days)).isoformat() for days in (-1, 0, 1)}
    return {
        name: [
            row
            for row in rows
            if name == "lateness_settings"
            or (row.get("event_date") or row["client_ts"][:10]) in near
        ]
        for name, rows in tables.items()
    }
