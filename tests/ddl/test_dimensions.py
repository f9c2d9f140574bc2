"""Students over random histories, by both engines and by plain Python."""

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import pytest

from gcp.dataset import Dataset
from schemas.families import FAMILIES
from tests.conftest import Warehouse
from tests.ddl import dimension_oracle, golden
from tests.ddl.googlesql import GoogleSql

Row = dict[str, Any]
# Runs SQL with {dataset} filled in over these rows of the table.
Ask = Callable[[list[Row], str], list[Row]]

FAMILY = FAMILIES["dimension_change"]
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
ROWS = (
    {"school_id": "north", "grade": "9"},
    {"school_id": "north", "grade": "10"},
    {"grade": "9", "house": {"name": "é"}},
)
VIEW = "SELECT * EXCEPT (student_key) FROM `{dataset}.students_dim`"
# A microsecond before, at and after each moment at which a version begins.
AT_BOUNDARIES = """
SELECT moment.student_id, moment.instant, dim.attributes, dim.is_deleted
FROM (
  SELECT student_id, TIMESTAMP_ADD(valid_from, INTERVAL micros MICROSECOND) AS instant
  FROM `{dataset}.students_dim`
  CROSS JOIN UNNEST([-1, 0, 1]) AS micros
  WHERE valid_from > TIMESTAMP '0001-01-01 00:00:00+00'
) AS moment
LEFT JOIN `{dataset}.students_dim` AS dim
  ON
    dim.student_id = moment.student_id
    AND dim.valid_from <= moment.instant
    AND (dim.valid_to IS NULL OR moment.instant < dim.valid_to)
"""


def histories(count: int) -> list[Row]:
    """Changes of as many students: late, repeated, out of order, deleted and back again."""
    found = []
    for number in range(count):
        chance = random.Random(number)
        for place in range(chance.randint(1, 9)):
            row = _change(chance, f"s{number}", f"{chance.choice('Aab')}{place}")
            found.append(row)
            if chance.random() < 0.3:  # sent again
                publish_ts = _text(DAY + dt.timedelta(hours=chance.randint(0, 99)))
                found.append(row | {"publish_ts": publish_ts})
    random.Random(count).shuffle(found)
    return [golden.fact(row, place, FAMILY) for place, row in enumerate(found)]


def _change(chance: random.Random, key: str, name: str) -> Row:
    is_delete = chance.random() < 0.2
    return {
        "event_id": f"{key}/{name}",
        "key": key,
        "op": "delete" if is_delete else "upsert",
        "row": None if is_delete and chance.random() < 0.5 else chance.choice(ROWS),
        "version_ts": _text(DAY + dt.timedelta(hours=chance.randint(0, 5))),
        "publish_ts": _text(DAY + dt.timedelta(hours=chance.randint(0, 50))),
        "position": chance.choice((None, 0, 1, 2)),
    }


def _text(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def timed(rows: list[Row]) -> list[Row]:
    return [
        {n: dt.datetime.fromisoformat(v) if n.endswith("_ts") else v for n, v in row.items()}
        for row in rows
    ]


@pytest.fixture
def by_google(googlesql: GoogleSql, dataset: Dataset) -> Ask:
    def ask(rows: list[Row], sql: str) -> list[Row]:
        return googlesql.run(sql.format(dataset=dataset), {dataset.table(FAMILY.table): rows})

    return ask


@pytest.fixture
def by_bqemulator(applied_families: Warehouse) -> Ask:
    """Inserts the rows in parts, the first time."""
    client, name = applied_families.client, str(applied_families.dataset)
    table = applied_families.dataset.table(FAMILY.table)
    inserted: list[Row] = []

    def ask(rows: list[Row], sql: str) -> list[Row]:
        if not inserted:
            inserted.extend(golden.as_text(row) for row in rows)
            size = min(500, len(inserted) // 3 + 1)
            for start in range(0, len(inserted), size):
                assert not client.insert_rows_json(table, inserted[start : start + size])
        return [dict(row) for row in client.query(sql.format(dataset=name)).result()]

    return ask


def assert_as_python(ask: Ask, count: int) -> None:
    rows = histories(count)
    expected = dimension_oracle.students(timed(rows))
    golden.assert_equal("students_dim", ask(rows, VIEW), expected)
    keys = ask(rows, "SELECT COUNT(DISTINCT student_key) AS found FROM `{dataset}.students_dim`")
    assert int(keys[0]["found"]) == len(expected)


def assert_joins_as_python(ask: Ask, count: int) -> None:
    rows = histories(count)
    changes = timed(rows)
    begun = [row for row in dimension_oracle.students(changes) if row["valid_from"].year > 1]
    expected = []
    for version in begun:
        for micros in (-1, 0, 1):
            moment = version["valid_from"] + dt.timedelta(microseconds=micros)
            row = dimension_oracle.as_of(changes, version["student_id"], moment)
            found = {"student_id": version["student_id"], "instant": moment, "attributes": row}
            expected.append(found | {"is_deleted": row is None})
    golden.assert_equal("students_dim", ask(rows, AT_BOUNDARIES), expected)


def test_google_s_engine_gives_the_versions_that_python_gives(by_google: Ask) -> None:
    assert_as_python(by_google, 10)


def test_bqemulator_gives_the_versions_that_python_gives(by_bqemulator: Ask) -> None:
    assert_as_python(by_bqemulator, 60)


def test_google_s_engine_joins_at_each_boundary_as_python_does(by_google: Ask) -> None:
    assert_joins_as_python(by_google, 10)


def test_bqemulator_joins_at_each_boundary_as_python_does(by_bqemulator: Ask) -> None:
    assert_joins_as_python(by_bqemulator, 60)


def test_the_key_of_a_version_is_the_same_everywhere(by_google: Ask, by_bqemulator: Ask) -> None:
    row = {"key": "s1", "version_ts": "2026-03-02T10:00:00Z", "row": {"grade": "9"}}
    rows = [golden.fact(row, 1, FAMILY)]
    sql = "SELECT student_key FROM `{dataset}.students_dim`"
    (google,), (emulator,) = by_google(rows, sql), by_bqemulator(rows, sql)
    assert int(google["student_key"]) == emulator["student_key"]


def test_the_histories_leave_nothing_out() -> None:
    rows = histories(60)
    versions = dimension_oracle.students(timed(rows))
    assert any(row["is_deleted"] for row in versions)
    assert any(row["is_deleted"] and not row["is_current"] for row in versions)
    assert len(versions) < len({row["event_id"] for row in rows})
    assert len({row["event_id"] for row in rows}) < len(rows)
    assert any(row["version_ts"] > row["publish_ts"] for row in rows)
