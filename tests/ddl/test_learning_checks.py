"""The checks of learner events find each fault that is planted, and none where there is none."""

import pytest

from ddl import check as checks
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.families import FAMILIES
from tests.ddl import learning, learning_tables
from tests.ddl.googlesql import GoogleSql

LEARNING = (FAMILIES["learner_event"],)
TABLES = learning_tables.tables(seed=1)
ROWS = learning.views(TABLES, EARLIEST_DATE, LATEST_DATE)
DAYS = len({row["partition_date"] for row in ROWS["raw_events"]})
SESSIONS = len(ROWS["session_metrics"])


def found(googlesql: GoogleSql, dataset: Dataset, name: str) -> dict[str, int]:
    check = next(c for c in checks.checks(dataset, LEARNING) if c.name == name)
    stored = {dataset.table(table): rows for table, rows in TABLES.items()}
    parameters = checks.parameters(EARLIEST_DATE, LATEST_DATE)
    rows = googlesql.run(check.counting, stored, parameters)
    return {row["finding"]: row["found"] for row in rows}


@pytest.mark.parametrize("name", ["minute_events", "session_durations"])
def test_right_data_has_no_findings(name: str, googlesql: GoogleSql, dataset: Dataset) -> None:
    """Copies that conflict, minutes without events and sessions across midnight included."""
    assert found(googlesql, dataset, name) == {}


@pytest.mark.parametrize(
    ("name", "view", "fault", "findings"),
    [
        (
            "minute_events",
            "minute_metrics",
            "SELECT * FROM right_rows UNION ALL SELECT * FROM right_rows",
            {"too many": DAYS},
        ),
        (
            "minute_events",
            "minute_metrics",
            "SELECT * FROM right_rows WHERE partition_date != DATE '2026-03-02'",
            {"missing": 1},
        ),
        (
            "session_durations",
            "session_metrics",
            "SELECT * REPLACE (duration_seconds + 60.001 AS duration_seconds) FROM right_rows",
            {"duration": SESSIONS},
        ),
        (
            "session_durations",
            "session_metrics",
            "SELECT * REPLACE (duration_seconds + 59.999 AS duration_seconds) FROM right_rows",
            {},
        ),
        (
            "session_durations",
            "session_metrics",
            "SELECT * FROM right_rows WHERE learner_id != 'A'",
            {"missing session": sum(r["learner_id"] == "A" for r in ROWS["session_metrics"])},
        ),
        (
            "session_durations",
            "session_metrics",
            "SELECT * REPLACE (CONCAT(session_id, '!') AS session_id) FROM right_rows",
            {"missing session": SESSIONS, "unknown session": SESSIONS},
        ),
    ],
)
def test_a_planted_fault_is_found(
    name: str,
    view: str,
    fault: str,
    findings: dict[str, int],
    googlesql: GoogleSql,
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = googlesql._bodies[f"{view}_between"]
    wrong = f"WITH right_rows AS ({right}) {fault}"
    monkeypatch.setitem(googlesql._bodies, f"{view}_between", wrong)
    assert found(googlesql, dataset, name) == findings
