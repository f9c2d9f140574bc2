"""What stays of the JSON fields of a family that lists their keys."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import FieldKind
from schemas.families import FAMILIES
from schemas.family import EventFamily, KeptKeys
from tests.support.families import ID, TIMESTAMP, enum, field, nullable, record, registered
from transforms.decoding.decode import OTHER_FIELDS, Decoder

JSON = {"type": {"type": "string", "sqlType": "JSON"}}
KEPT = KeptKeys(
    {"opened": frozenset({"text", "code"}), "closed": frozenset({"code"})},
    names=frozenset({"code"}),
)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "b c"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


@pytest.fixture(scope="module")
def family() -> Iterator[EventFamily]:
    contract = record(
        "DoorEvent",
        field("event_type", enum("opened", "closed", "stuck")),
        field("event_id", ID),
        field("at", TIMESTAMP),
        field("data", nullable(JSON)),
    )
    with registered(
        contract,
        name="doors",
        table="doors_fact",
        event_time="at",
        unknown="drop",
        kept_keys={"data": KEPT},
    ) as made:
        yield made


def event(data: Any, event_type: str = "opened", **more: Any) -> bytes:
    known = {"event_type": event_type, "event_id": "e", "at": "2026-03-02T10:00:00Z"}
    return json.dumps({**known, "data": data, **more}).encode()


def stored(decoder: Decoder, *args: Any, **more: Any) -> Any:
    return decoder.decode(event(*args, **more))[0].data


@given(
    data=st.dictionaries(st.text() | st.sampled_from(["text", "code"]), VALUES),
    event_type=st.sampled_from(["opened", "closed", "stuck"]),
)
def test_only_listed_keys_without_objects_stay_and_the_others_are_counted(
    family: EventFamily, data: dict[str, Any], event_type: str
) -> None:
    decoder = Decoder(family)
    kept = stored(decoder, data, event_type)
    listed = KEPT.by_type.get(event_type, frozenset())
    assert kept == {key: data[key] for key in listed & data.keys() if is_flat(data[key])}
    assert sum(decoder.dropped.values()) == len(data) - len(kept)


def is_flat(value: Any) -> bool:
    if isinstance(value, list):
        return not any(isinstance(one, list | dict) for one in value)
    return not isinstance(value, dict)


def test_strings_lose_personal_data_in_arrays_too(family: EventFamily) -> None:
    data = {"text": ["a@b.example", "5551234567", 7], "code": "5551234567"}
    kept = stored(Decoder(family), data)
    assert kept == {"text": ["[email]", "[phone]", 7], "code": "5551234567"}


def test_keys_are_counted_by_name_with_unknown_fields(family: EventFamily) -> None:
    decoder = Decoder(family)
    stored(decoder, {"name": "Ann", "text": {"name": "Ann"}}, name="Ann")
    assert decoder.dropped == {"data.name": 1, "data.text": 1, "name": 1}


def test_a_metric_is_named_by_no_personal_data_and_there_are_at_most_a_hundred(
    family: EventFamily,
) -> None:
    decoder = Decoder(family)
    for key in ("ann@example.com", "192.0.2.7", "5551234567", "a b"):
        stored(decoder, {key: 1})
    assert decoder.dropped == {OTHER_FIELDS: 4}
    for number in range(200):
        stored(decoder, {f"key{number}": 1})
    assert len(decoder.dropped) == 100


def test_no_data_stays_no_data(family: EventFamily) -> None:
    assert stored(Decoder(family), None) is None
    assert stored(Decoder(family), {"name": 1}) == {}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_family_lists_the_keys_of_json_fields_for_types_that_it_has(family: EventFamily) -> None:
    for name, kept in family.kept_keys.items():
        assert family.contract[name].kind is FieldKind.JSON
        assert not family.contract[name].repeated
        assert kept.by_type.keys() == set(family.event_types)
        assert kept.names <= frozenset().union(*kept.by_type.values())
