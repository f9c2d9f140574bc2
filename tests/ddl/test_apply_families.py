"""Families of one's choice, with records and arrays, against a real BigQuery API (bqemulator)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from ddl import statements
from ddl.__main__ import main
from ddl.apply import apply
from ddl.plan_fields import walk
from schemas.family import EventFamily
from tests.conftest import Warehouse
from tests.ddl.parcels import parcel

FAMILIES = "--event_family=exam_event,parcels"


@pytest.fixture
def fail(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must end with exit code 2, and gives its line."""

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as exit_:
            main([arguments[0], "--dataset", "local-exams.any", *arguments[1:]])
        assert exit_.value.code == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    return run


def test_a_family_s_tables_are_made_as_declared_and_again_nothing_changes(
    parcels: EventFamily, warehouse: Warehouse
) -> None:
    apply(warehouse.client, warehouse.dataset, families=[parcels])
    found = {table.table_id for table in warehouse.client.list_tables(str(warehouse.dataset))}
    shared = {"dead_letters", "etl_metadata", "etl_job_status"}
    assert found == {"parcels_fact", "parcels", "parcels_conflicts"} | shared
    declared = statements.table(warehouse.dataset, "parcels_fact")
    table = warehouse.client.get_table(declared.reference)
    assert described(table.schema) == described(declared.schema)
    assert table.labels == declared.labels
    assert table.time_partitioning.expiration_ms == declared.time_partitioning.expiration_ms
    again = apply(warehouse.client, warehouse.dataset, families=[parcels])
    # bqemulator does not return the query of a view; BigQuery does, and nothing is replaced.
    assert [action.summary for action in again] == [
        "replace view etl_job_status",
        "replace view parcels",
        "replace view parcels_conflicts",
    ]


def described(schema: list[SchemaField]) -> dict[str, Any]:
    return {path: (field.mode, field.description) for path, field in walk(schema)}


def without(schema: list[SchemaField], *paths: str, inside: str = "") -> Iterator[SchemaField]:
    for field in schema:
        path = f"{inside}{field.name}"
        if path not in paths:
            inner = [f.to_api_repr() for f in without(field.fields, *paths, inside=f"{path}.")]
            yield SchemaField.from_api_repr(field.to_api_repr() | {"fields": inner})


def test_nested_fields_are_added_and_reach_the_views(
    parcels: EventFamily, warehouse: Warehouse
) -> None:
    declared = statements.table(warehouse.dataset, "parcels_fact")
    older = bigquery.Table.from_api_repr(declared.to_api_repr())
    older.schema = [*without(older.schema, "return_to", "legs.scans.end", "address.zip")]
    warehouse.client.create_dataset(str(warehouse.dataset))
    warehouse.client.create_table(older)
    done = [a.summary for a in apply(warehouse.client, warehouse.dataset, families=[parcels])]
    assert done[0] == (
        "add column parcels_fact.address.zip STRING, parcels_fact.legs.scans.end TIMESTAMP, "
        "parcels_fact.return_to STRUCT"
    )
    table = warehouse.client.get_table(declared.reference)
    assert described(table.schema) == described(declared.schema)
    sql = f"SELECT legs[SAFE_OFFSET(0)].scans, return_to.zip FROM `{warehouse.dataset}.parcels`"
    assert list(warehouse.client.query(sql).result()) == []


def insert(warehouse: Warehouse, *rows: dict[str, Any]) -> None:
    name = warehouse.dataset.table("parcels_fact")
    rows_as_text = [row | {"extra": json.dumps(row.get("extra"))} for row in rows]
    assert not warehouse.client.insert_rows_json(name, rows_as_text)


def test_checks_run_on_the_families_that_are_named(
    parcels: EventFamily, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--dataset", str(warehouse.dataset), FAMILIES]
    assert main(["apply", *place]) == 0
    assert main(["check", *place]) == 0
    names = [line.split()[1] for line in capsys.readouterr().out.splitlines() if "  0  " in line]
    assert {"ranges", "parcels_ranges", "parcels_unknown_fields", "dead_letters_nulls"} <= {*names}

    bad = [{**parcel("e")["legs"][0], "carrier": "sea", "scans": [{"place": ""}]}]
    insert(warehouse, parcel("e1", legs=bad, contract_version=None), parcel("e2"))
    assert main(["check", *place, "--show", "parcels_ranges"]) == 1
    found = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "e1" in line]
    assert found == ["legs.carrier", "legs.scans.place"]
    assert main(["check", *place, "--show", "parcels_nulls"]) == 1
    assert "contract_version" in capsys.readouterr().out


def test_the_view_removes_copies(parcels: EventFamily, warehouse: Warehouse) -> None:
    apply(warehouse.client, warehouse.dataset, families=[parcels])
    changed = [{**parcel("e")["legs"][0], "price": "2"}]
    insert(warehouse, parcel("e1", 1, legs=changed), parcel("e1"), parcel("e2"))
    sql = f"SELECT event_id, legs FROM `{warehouse.dataset}.parcels` ORDER BY event_id"
    rows = [dict(row) for row in warehouse.client.query(sql).result()]
    assert [(row["event_id"], len(row["legs"])) for row in rows] == [("e1", 2), ("e2", 2)]
    sql = f"SELECT event_id, differing_fields FROM `{warehouse.dataset}.parcels_conflicts`"
    rows = [dict(row) for row in warehouse.client.query(sql).result()]
    assert rows == [{"event_id": "e1", "differing_fields": ["at", "legs"]}]


@pytest.mark.usefixtures("parcels")
def test_a_check_of_another_family_is_not_shown(fail: Callable[..., str]) -> None:
    assert fail("check", "--show=parcels_grain") == (
        "error: --show: parcels_grain is a check of the event family parcels\n"
    )


@pytest.mark.usefixtures("parcels")
def test_lateness_settings_come_with_the_family_that_has_them(
    fail: Callable[..., str], tmp_path: Path
) -> None:
    settings = tmp_path / "settings.csv"
    settings.write_text("test_id,duration_seconds,grace_seconds\n,60,0\n")
    error = fail("apply", "--event_family=parcels", f"--lateness_settings={settings}")
    assert error == "error: --lateness_settings: these event families have no lateness_settings\n"


TAG = "projects/p/locations/eu/taxonomies/1/policyTags/2"


@pytest.mark.usefixtures("parcels")
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("address", "address is a record: name its fields"),
        ("address.town", "no table has a column address.town"),
        ("city", "no table has a column city"),
        ("student_id.x", "no table has a column student_id.x"),
        ("test_id.", "no table has a column test_id."),
        ("attempt_no", "no table has a column attempt_no"),
    ],
)
def test_policy_tags_name_a_column_of_these_families(
    path: str, reason: str, fail: Callable[..., str]
) -> None:
    error = fail("apply", "--event_family=parcels", f"--policy_tags={path}={TAG}")
    assert error == f"error: --policy_tags: {reason}\n"


@pytest.mark.usefixtures("parcels")
def test_a_view_that_reads_another_family_s_table_is_refused(
    fail: Callable[..., str], tmp_path: Path
) -> None:
    view = "CREATE OR REPLACE VIEW `${project}.${dataset}.students` AS\n"
    text = view + "SELECT student_id FROM `${project}.${dataset}.events`;\n"
    (tmp_path / "ddl/parcels/views/students.sql").write_text(text)
    error = fail("apply", "--event_family=parcels")
    assert error == (
        "error: --event_family: students reads events: add the event family exam_event\n"
    )


@pytest.mark.usefixtures("bigquery_emulator")
def test_the_emulator_has_no_operational_views(fail: Callable[..., str]) -> None:
    assert fail("apply", "--operational_views") == (
        "error: --operational_views: the emulator has no TABLE_STORAGE and no JOBS\n"
    )
