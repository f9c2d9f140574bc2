"""Records and arrays: what the contract knows of them, what it does not, and where a fault is."""

import decimal
import json
from typing import Any

import pytest
from apache_beam.internal import pickler

from schemas.coders import StructCoder
from schemas.errors import ContractError, ErrorKind
from tests.support.families import (
    ID,
    NUMERIC,
    TIMESTAMP,
    enum,
    field,
    nullable,
    record,
    registered,
)
from tests.transforms.builders import NOW, message
from transforms.decoding.decode import OTHER_FIELDS, Decoder

SCAN = record("Scan", field("at", TIMESTAMP), field("weight", {**NUMERIC, "minimum": 0}))
STOP = record(
    "Stop",
    field("depot", ID),
    field("scans", {"type": {"type": "array", "items": SCAN}}),
    field("tags", nullable({"type": {"type": "array", "items": "string"}})),
)
PARCEL = record(
    "Parcel",
    field("event_type", enum("seen")),
    field("at", TIMESTAMP),
    field("stops", {"type": {"type": "array", "items": STOP}, "minLength": 1, "maxLength": 2}),
    field("box", nullable({"type": record("Box", field("unit", ID))})),
    field("day", nullable({"type": {"type": "int", "logicalType": "date"}})),
    field("event_id", nullable(ID)),
)
TIME = "2026-03-02T10:00:00Z"
STOPS = [{"depot": "d", "scans": [{"at": TIME, "weight": 1}]}]


@pytest.fixture(params=["keep", "refuse", "drop"])
def unknown(request):
    return request.param


@pytest.fixture
def family(unknown):
    with registered(
        PARCEL, name="parcels", table="parcels_fact", event_time="at", unknown=unknown
    ) as made:
        yield made


keeps = pytest.mark.parametrize("unknown", ["keep"], indirect=True)


def parcel(**fields: Any) -> bytes:
    return json.dumps({"event_type": "seen", "at": TIME, "stops": STOPS} | fields).encode()


def scanned(**scan: Any) -> bytes:
    return parcel(stops=[STOPS[0], {"depot": "e", "scans": [STOPS[0]["scans"][0] | scan]}])


@keeps
def test_unknown_fields_of_records_are_kept_by_path(family):
    sent = scanned(colour="red", at=TIME)
    nested = json.loads(sent) | {"box": {"unit": "kg", "a.b": [1], "size": {"x": 1.50}}, "z": 2}
    event, extra = Decoder(family).decode(json.dumps(nested).encode())
    assert event.box.unit == "kg"
    assert json.loads(extra) == {
        "stops[1].scans[0].colour": "red",
        'box.["a.b"]': [1],
        "box.size": {"x": 1.5},
        "z": 2,
    }


@keeps
def test_a_name_that_looks_like_a_path_is_none(family):
    decoder = Decoder(family)
    for _ in range(2):  # the second time it has learnt the names
        _, extra = decoder.decode(parcel(**{"box.a": 1, "box": {"unit": "kg", "a": 2}, "z": 3}))
        assert json.loads(extra) == {'["box.a"]': 1, "box.a": 2, "z": 3}


@keeps
@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (parcel(stops=[]), "stops"),
        (parcel(stops=STOPS * 3), "stops"),
        (parcel(stops=STOPS[0]), "stops"),
        (parcel(stops=None), "stops"),
        (parcel(stops=[*STOPS, None]), "stops[1]"),
        (parcel(stops=[*STOPS, {}]), "stops[1].depot"),
        (parcel(stops=[{"depot": "d"}]), "stops[0].scans"),
        (parcel(stops=[STOPS[0] | {"tags": ["a", 1]}]), "stops[0].tags[1]"),
        (scanned(at="2026-03-02T10:00:00"), "stops[1].scans[0].at"),
        (scanned(at="2026-03-02T10:00:00+0100"), "stops[1].scans[0].at"),
        (scanned(at="0001-01-01T00:00:00+01:00"), "stops[1].scans[0].at"),
        (scanned(weight=-1), "stops[1].scans[0].weight"),
        (scanned(weight="NaN"), "stops[1].scans[0].weight"),
        (scanned(weight="-Infinity"), "stops[1].scans[0].weight"),
        (scanned(weight="1e29"), "stops[1].scans[0].weight"),
        (scanned(weight=10**29), "stops[1].scans[0].weight"),
        (scanned(weight="9" * 29 + ".9999999995"), "stops[1].scans[0].weight"),
        (scanned(weight=True), "stops[1].scans[0].weight"),
        (scanned(weight=None), "stops[1].scans[0].weight"),
        (parcel(box={"unit": ""}), "box.unit"),
        (parcel(box=[]), "box"),
        (parcel(day="2026-02-30"), "day"),
    ],
)
def test_a_fault_is_named_by_its_path(family, payload, path):
    with pytest.raises(ContractError) as error:
        Decoder(family).decode(payload)
    assert (error.value.kind, error.value.field) == (ErrorKind.SCHEMA_VIOLATION, path)
    assert str(error.value).startswith(path)


@keeps
@pytest.mark.parametrize(
    "written", ["1.1", '"1.1"', "1.10", "11e-1", "0." + "1" * 40, '"' + "9" * 29 + '.999999999"']
)
def test_decimals_are_read_as_written(family, written):
    payload = scanned(weight="~").replace(b'"~"', written.encode())
    for decode in (Decoder(family).decode, slowly(family)):
        event, _ = decode(payload)
        assert event.stops[1].scans[0].weight == decimal.Decimal(written.strip('"'))


def slowly(family):
    """Decodes by the slow path: an unknown field keeps the fast one away."""
    return lambda payload: Decoder(family).decode(payload[:-1] + b', "z": 1.5}')


@keeps
def test_nested_times_are_cut_and_not_rounded(family):
    event, _ = Decoder(family).decode(scanned(at="2026-03-02T10:00:00.9999999Z"))
    assert event.stops[1].scans[0].at.microsecond == 999_999


@pytest.mark.parametrize("unknown", ["refuse"], indirect=True)
def test_a_family_may_refuse_unknown_fields(family):
    with pytest.raises(ContractError) as error:
        Decoder(family).decode(scanned(colour="red"))
    assert error.value.field == "stops[1].scans[0].colour"
    assert "red" not in str(error.value)


@pytest.mark.parametrize("unknown", ["drop"], indirect=True)
def test_a_family_may_drop_and_count_them(family):
    decoder = Decoder(family)
    for payload in (scanned(colour="red"), scanned(colour="blue"), parcel(**{"a b": 1})):
        assert decoder.decode(payload)[1] is None
    assert decoder.dropped == {"stops.scans.colour": 2, OTHER_FIELDS: 1}
    for number in range(200):
        decoder.decode(parcel(**{f"n{number}": 1}))
    assert len(decoder.dropped) <= 101


def test_events_and_coders_travel_by_name(family):
    event, extra = Decoder(family).decode(parcel())
    assert pickler.loads(pickler.dumps(event)) == event
    assert pickler.loads(pickler.dumps(family)) is family
    valid = family.valid_event(message=message(b"", publish_time=NOW), event=event, extra=extra)
    coder = pickler.loads(pickler.dumps(StructCoder(family.valid_event)))
    assert coder.decode(coder.encode(valid)) == valid
