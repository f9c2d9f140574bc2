"""A family that exists only here, derived from its contract, runs through all steps."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from schemas.errors import ContractError, ErrorKind
from schemas.family import EventFamily
from tests.support.families import ID, NUMERIC, TIMESTAMP, enum, field, nullable, record, registered
from tests.transforms import builders
from tests.transforms.running import run_steps
from transforms.rows import columns

NOW = dt.datetime.now(dt.UTC)
SIZE = record("Size", field("unit", ID), field("count", {"type": "long"}))
LINE = record(
    "Line",
    field("price", {**NUMERIC, "minimum": 0}),
    field(
        "size",
        nullable({"type": SIZE}),
    ),
)
CONTRACT = record(
    "Parcel",
    field("event_type", enum("placed", "failed")),
    field("placed_at", TIMESTAMP),
    field("cents", {"type": "long", "minimum": 0}),
    field("lines", {"type": {"type": "array", "items": LINE}, "minLength": 1, "maxLength": 2}),
    field("gift", nullable({"type": "boolean"})),
    field("basket", nullable({"type": {"type": "string", "sqlType": "JSON"}})),
    field("event_id", nullable(ID)),
)
LINES = [{"price": "1.10", "size": {"unit": "kg", "count": 2}}]


def gifts_cost_nothing(event: Any) -> None:
    if event.gift and event.cents:
        raise ContractError(ErrorKind.RULE_VIOLATION, "a gift must cost nothing", "cents")


@pytest.fixture(autouse=True)
def parcels() -> Iterator[EventFamily]:
    with registered(
        CONTRACT,
        name="parcels",
        table="parcels_fact",
        event_time="placed_at",
        rules=(gifts_cost_nothing,),
        dead_letter_types={"failed": ErrorKind.STORE_ERROR},
        renamed={"cents": "price_cents", "ingest_ts": "processed_timestamp"},
    ) as family:
        yield family


def parcel(event_id: str | None, **fields: Any) -> Any:
    """A message: ``placed``, 100 cents, one line, at this moment."""
    body = {"event_type": "placed", "placed_at": NOW.isoformat(), "cents": 100, "lines": LINES}
    sent = msgspec.json.encode({"event_id": event_id} | body | fields)
    return builders.message(sent, message_id=str(event_id), publish_time=NOW)


def test_a_further_family_needs_no_change_to_the_steps(parcels: EventFamily) -> None:
    outcome = run_steps(
        [
            parcel("o1", basket={"b": [1], "a": None}, colour="red"),
            parcel("o2", event_type="answer_submit"),
            parcel("o3", gift=True),
            parcel("o4", cents=None),
            parcel("o5", event_type="failed"),
            parcel("o6", lines=[*LINES, {"price": "-0.01"}]),
            parcel("o7", lines=[{"price": 1, "size": {"unit": "kg"}}]),
            parcel("o8", placed_at="1971-01-01T00:00:00Z"),
        ],
        family=parcels,
    )
    (row,) = outcome.rows
    assert tuple(row) == columns(parcels)
    assert row.keys() == {
        *("event_id", "event_type", "placed_at", "price_cents", "gift", "lines", "basket"),
        *("extra", "event_date", "publish_ts", "processed_timestamp", "message_id"),
        *("pipeline_version", "contract_version"),
    }
    assert (row["price_cents"], row["gift"], row["event_date"]) == (100, None, NOW.date())
    assert (row["basket"], row["extra"]) == ('{"a":null,"b":[1]}', '{"colour":"red"}')
    (line,) = row["lines"]
    assert (str(line["price"]), line["size"]) == ("1.100000000", {"unit": "kg", "count": 2})
    values = {
        letter.event_id: (letter.rejection.kind, letter.rejection.field)
        for letter in outcome.letters
    }
    assert values == {
        "o2": (ErrorKind.SCHEMA_VIOLATION, "event_type"),
        "o3": (ErrorKind.RULE_VIOLATION, "cents"),
        "o4": (ErrorKind.SCHEMA_VIOLATION, "cents"),
        "o5": (ErrorKind.STORE_ERROR, None),
        "o6": (ErrorKind.SCHEMA_VIOLATION, "lines[1].price"),
        "o7": (ErrorKind.SCHEMA_VIOLATION, "lines[0].size.count"),
        "o8": (ErrorKind.RULE_VIOLATION, "placed_at"),
    }
    assert {letter.event_family for letter in outcome.letters} == {"parcels"}


def test_a_refused_row_of_a_further_family_is_the_message_again(parcels: EventFamily) -> None:
    sent = parcel("o1", basket={"b": 1}, colour="red")
    outcome = run_steps([sent], family=parcels, refused=frozenset({"o1"}))
    (letter,) = outcome.letters
    assert (letter.message, outcome.rows) == (sent, [])


def test_an_event_without_an_id_gets_the_digest_of_what_it_says(parcels: EventFamily) -> None:
    sent = [
        parcel(None, colour="red", lines=[{"price": 1.1}]),
        parcel(None, colour="red", lines=[{"price": "1.10", "size": None}], gift=None),
        parcel(None, colour="blue", lines=[{"price": 1.1}]),
    ]
    same, again, other = (row["event_id"] for row in run_steps(sent, family=parcels).rows)
    assert same == again != other
    assert len(same) == 32
