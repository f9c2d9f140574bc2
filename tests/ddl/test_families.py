"""A family with records and arrays, from its rendered files: on Google's analyzer and engine."""

from typing import Any

import pytest

from ddl import statements
from ddl.check import checks, parameters
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.family import EventFamily
from tests.ddl.googlesql import GoogleSql
from tests.ddl.parcels import PARCELS, parcel

Row = dict[str, Any]


def leg(**changes: Any) -> list[Row]:
    return [{**parcel("e")["legs"][0], **changes}]


def run(engine: GoogleSql, dataset: Dataset, sql: str, *rows: Row) -> list[Row]:
    return engine.run(sql, {dataset.table("parcels_fact"): [*rows]})


def findings(engine: GoogleSql, dataset: Dataset, name: str, *rows: Row, **tables: Any) -> set[str]:
    """What a check of the family finds."""
    check = next(c for c in checks(dataset, [PARCELS]) if c.name == f"parcels_{name}")
    given = {dataset.table("parcels_fact"): [*rows]}
    given |= {dataset.table(table): content for table, content in tables.items()}
    found = engine.run(check.sql, given, parameters(EARLIEST_DATE, LATEST_DATE))
    return {row["finding"] for row in found}


def test_copies_are_removed_by_date_and_id(parcels_sql: GoogleSql, dataset: Dataset) -> None:
    rows = run(
        parcels_sql,
        dataset,
        f"SELECT * FROM `{dataset.table('parcels')}`",
        parcel("e1", 1, weight_grams=1),
        parcel("e1", 0, weight_grams=2),
        parcel("e1", 0, message_id="zz", weight_grams=3),
        parcel("e1", 2, event_date="2026-03-03", weight_grams=4),
        parcel("e2"),
    )
    assert sorted((row["event_id"], row["event_date"], row["grams"]) for row in rows) == [
        ("e1", "2026-03-02", 2),
        ("e1", "2026-03-03", 4),
        ("e2", "2026-03-02", None),
    ]
    assert "weight_grams" not in rows[0]
    assert rows[0]["legs"][0]["scans"] == [{"place": "a", "end": None}]


def test_conflicts_name_the_fields_that_differ(parcels_sql: GoogleSql, dataset: Dataset) -> None:
    rows = run(
        parcels_sql,
        dataset,
        f"SELECT * FROM `{dataset.table('parcels_conflicts')}`",
        parcel("e1", 0),
        parcel("e1", 0, message_id="again"),
        parcel("e2", 0),
        parcel("e2", 0, message_id="b", legs=leg(price="1.6"), weight_grams=5, extra={"x": 1}),
        parcel("e3", 0),
        parcel("e3", 0, message_id="c", legs=leg(scans=[])),
    )
    found = {row["event_id"]: (row["copies"], row["differing_fields"]) for row in rows}
    assert found == {"e2": (2, ["legs", "grams", "extra"]), "e3": (2, ["legs"])}


NOTHING: dict[str, Any] = {}
BEYOND = {
    "event_type": {"event_type": "lost"},
    "parcel_id": {"parcel_id": ""},
    "address.city": {"address": {"city": "x" * 65}},
    "address.zip": {"address": {"city": "Graz", "zip": "8010"}},
    "legs": {"legs": []},
    "legs.carrier": {"legs": [*leg(), *leg(carrier="sea")]},
    "legs.price": {"legs": leg(price="-0.000000001")},
    "legs.scans": {"legs": leg(scans=[{"place": "a"}] * 6)},
    "legs.scans.place": {"legs": leg(scans=[{"place": "a"}, {"place": ""}])},
    "legs.weights": {"legs": leg(weights=[1, 1000.6])},
    "grams": {"weight_grams": 0},
    "return_to.city": {"return_to": {"city": ""}},
    "tags": {"tags": ["a"] * 5},
    "fee": {"fee": 10.1},
    "event_date": {"event_date": "2026-03-03"},
    None: {"customer": "x" * 500, "address": {"city": "Graz", "zip": "$none"}},
}


@pytest.mark.parametrize("name", BEYOND)
def test_ranges_find_what_lies_beyond_a_limit(
    name: str | None, parcels_sql: GoogleSql, dataset: Dataset
) -> None:
    found = findings(parcels_sql, dataset, "ranges", parcel("e1", **BEYOND[name]))
    assert found == ({name} if name else set())


def test_nulls_find_what_a_record_lacks(parcels_sql: GoogleSql, dataset: Dataset) -> None:
    assert findings(parcels_sql, dataset, "nulls", parcel("e1")) == set()
    rows = [
        parcel("e1", legs=leg(price=None), contract_version=None),
        parcel("e2", legs=[*leg(), *leg(scans=[{"place": None}])]),
        parcel("e3", return_to={"zip": "80100"}),
    ]
    found = findings(parcels_sql, dataset, "nulls", *rows)
    assert found == {"legs.price", "contract_version", "legs.scans.place", "return_to.city"}


def test_grain_finds_a_message_of_two_events_and_an_event_of_two_dates(
    parcels_sql: GoogleSql, dataset: Dataset
) -> None:
    day = "2026-03-02"
    letters = [
        {"message_id": "m-e1-0", "event_id": "e9", "failed_date": day, "event_family": "orders"},
        {"message_id": "m-e2-0", "event_id": "e9", "failed_date": day, "event_family": "parcels"},
    ]
    assert findings(parcels_sql, dataset, "grain", parcel("e1"), dead_letters=letters) == set()
    found = findings(parcels_sql, dataset, "grain", parcel("e2"), dead_letters=letters)
    assert found == {"message"}
    dates = parcel("e1"), parcel("e1", 1, event_date="2026-03-03")
    assert findings(parcels_sql, dataset, "grain", *dates) == {"event"}


def test_unknown_fields_go_by_their_path(parcels_sql: GoogleSql, dataset: Dataset) -> None:
    extra = {"legs[0].carier": 1, "legs[12].carier": 2, "addres.zip_code": "x", "colour": "red"}
    found = findings(parcels_sql, dataset, "unknown_fields", parcel("e1", extra=extra))
    assert found == {"legs.carier (legs.carrier?)", "addres.zip_code", "colour"}


def test_the_files_are_of_the_families_that_are_named(
    parcels: EventFamily, dataset: Dataset
) -> None:
    assert [t.table_id for t in statements.tables(dataset, [parcels])] == [
        "parcels_fact",
        "dead_letters",
        "etl_metadata",
    ]
    assert {q.name for q in statements.queries(dataset, [parcels])} == {
        "parcels",
        "parcels_between",
        "parcels_conflicts",
        "parcels_conflicts_between",
        "etl_job_status",
    }
    assert not {t.table_id for t in statements.tables(dataset)} & {"parcels_fact"}
