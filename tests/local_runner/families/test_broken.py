"""Every message of the breaker becomes the dead letter that it predicts."""

import dataclasses
import datetime as dt
import importlib.machinery
import random
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from local_runner.traffic import families
from local_runner.traffic.broken import breakages
from local_runner.traffic.events import Broken, encode
from local_runner.traffic.families import traffic_of
from local_runner.traffic.from_contract import ContractEvents
from schemas.errors import ContractError, ErrorKind
from schemas.event_time import EventTimeBounds
from schemas.families import FAMILIES
from schemas.family import EventFamily
from schemas.message import Message
from tests.support.families import ID, NUMERIC, TIMESTAMP, enum, field, nullable, record, registered
from transforms.decoding.decode import Decoder
from transforms.route import FAMILY_ATTRIBUTE, Router
from transforms.validate import Validator

NOW = dt.datetime.now(dt.UTC)
BOUNDS = EventTimeBounds(max_age=dt.timedelta(days=1800), max_ahead=dt.timedelta(days=1))
SHOP = ("orders", "inventory", "user_activity")

SIZE = record(
    "Size",
    field("unit", {"type": "string", "pattern": "[a-z]{1,3}|unit [A-C]?"}),
    field("counts", {"type": {"type": "array", "items": "long"}, "minLength": 2, "maxLength": 3}),
)
LINE = record(
    "Line",
    field("price", {**NUMERIC, "minimum": 0, "maximum": 10}),
    field("share", {"type": "double", "minimum": 0, "maximum": 1}),
    field("bought_on", {"type": {"type": "int", "logicalType": "date"}}),
    field("size", nullable({"type": SIZE})),
)
NESTED = record(
    "Parcel",
    field("event_type", enum("placed", "failed")),
    field("placed_at", TIMESTAMP),
    field("cents", {"type": "long"}),
    field("lines", {"type": {"type": "array", "items": LINE}, "minLength": 1, "maxLength": 2}),
    field("tags", nullable({"type": {"type": "array", "items": "string"}, "maxLength": 2})),
    field("gift", nullable({"type": "boolean"})),
    field("basket", nullable({"type": {"type": "string", "sqlType": "JSON"}})),
    field("seen_at", nullable(TIMESTAMP)),
    field("event_id", nullable(ID)),
)


def gifts_cost_nothing(event: Any) -> None:
    if event.gift and event.cents > 500:
        raise ContractError(ErrorKind.RULE_VIOLATION, "a gift must cost little", "cents")


@pytest.fixture(params=["keep", "refuse", "drop"])
def parcels(request: pytest.FixtureRequest) -> Iterator[EventFamily]:
    with registered(
        NESTED,
        name="parcels",
        table="parcels_fact",
        event_time="placed_at",
        rules=(gifts_cost_nothing,),
        unknown=request.param,
    ) as family:
        yield family


def message(body: bytes, attributes: dict[str, str] | None = None) -> Message:
    return Message(
        payload=body, message_id="m", publish_time=NOW, source="s", attributes=attributes or {}
    )


def rejection(validator: Validator, received: Message) -> tuple[ErrorKind, str | None] | None:
    """The error kind and field of a message; None if it is valid."""
    try:
        validator.validate(received, NOW)
    except ContractError as error:
        return error.kind, error.field
    return None


def check(family: EventFamily, ways: list[Any], events: list[Any]) -> None:
    validator = Validator(family, BOUNDS, Decoder(family))
    others = [FAMILIES[name] for name in SHOP if name != family.name]
    router = Router([family, *others])
    for way in ways:
        for event in events:
            broken = way(event)
            expected = (broken.kind, broken.field)
            assert rejection(validator, message(broken.body)) == expected, broken.body[:500]
            named = message(broken.body, {FAMILY_ATTRIBUTE: family.name})
            assert router.family_of(named) == family.name
            routed = family_of(router, message(broken.body))
            assert routed == (expected if broken.hides_family else family.name), broken.body[:500]


def family_of(router: Router, received: Message) -> str | tuple[ErrorKind, str | None]:
    """The family of a message, or the error kind and field of one that no family reads."""
    try:
        return router.family_of(received)
    except ContractError as error:
        return error.kind, error.field


def valid_events(family: EventFamily, count: int) -> list[Any]:
    """Of random traffic, and made up from the contract."""
    real = traffic_of(family).events(random.Random(1), NOW - dt.timedelta(hours=8))
    made_up = ContractEvents(family).day(random.Random(1), NOW - dt.timedelta(hours=8))
    return [next(source).event for _ in range(count) for source in (real, made_up)]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_each_breakage_of_a_contract_has_the_kind_and_field_that_it_predicts(name: str) -> None:
    check(FAMILIES[name], breakages(FAMILIES[name]), valid_events(FAMILIES[name], 2))


def test_those_of_a_nested_family_with_every_type_too(parcels: EventFamily) -> None:
    made = ContractEvents(parcels)
    events = [made.event(random.Random(seed), NOW) for seed in range(5)]
    check(parcels, breakages(parcels), events)


def test_a_family_adds_messages_that_break_its_rules(
    parcels: EventFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    def costly_gift(event: Any) -> Broken:
        body = encode(event | {"gift": True, "cents": 501})
        return Broken(body, ErrorKind.RULE_VIOLATION, "cents", hides_family=False)

    name = f"{families.__name__}.parcels"
    module: Any = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.RULE_BREAKAGES = [costly_gift]
    monkeypatch.setitem(sys.modules, name, module)
    ways = traffic_of(parcels).breakages
    assert costly_gift in ways[:4]
    assert len(ways) == len(breakages(parcels)) + 1
    check(parcels, [costly_gift], [ContractEvents(parcels).event(random.Random(1), NOW)])


def test_every_limit_of_a_contract_is_broken() -> None:
    family = FAMILIES["orders"]
    [event] = (sent.event for sent in [next(traffic_of(family).events(random.Random(1), NOW))])
    event = event | {"items": event["items"][:1] * 2, "event_id": "e1"}
    broken = [way(event) for way in breakages(family)]
    assert {one.kind for one in broken} == {
        ErrorKind.NOT_JSON,
        ErrorKind.TOO_LARGE,
        ErrorKind.SCHEMA_VIOLATION,
        ErrorKind.RULE_VIOLATION,
    }
    fields = {path for path, _ in family.contract.walk()}
    found = {(one.field or "").replace("[1]", "") for one in broken}
    assert found == fields | {"", "made_up_field"}
    assert {"items", "items[1]", "items[1].price", "shipping_address.city"} <= {
        one.field for one in broken
    }


def test_the_first_breakages_show_each_error_kind() -> None:
    for family in FAMILIES.values():
        [event] = valid_events(family, 1)[:1]
        kinds = {way(event | {"event_id": "e1"}).kind for way in breakages(family)[:4]}
        assert kinds >= {ErrorKind.NOT_JSON, ErrorKind.TOO_LARGE, ErrorKind.SCHEMA_VIOLATION}
        assert (ErrorKind.RULE_VIOLATION in kinds) == (family.event_time is not None)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_what_is_made_up_from_a_contract_is_valid(name: str) -> None:
    family = FAMILIES[name]
    validator = Validator(family, BOUNDS, Decoder(family))
    day = ContractEvents(family).day(random.Random(5), NOW - dt.timedelta(hours=8))
    for sent in (next(day) for _ in range(200)):
        assert rejection(validator, message(encode(sent.event))) is None, sent.event


def test_what_is_made_up_for_a_nested_family_is_valid(parcels: EventFamily) -> None:
    validator = Validator(parcels, BOUNDS, Decoder(parcels))
    day = ContractEvents(parcels).day(random.Random(5), NOW - dt.timedelta(hours=8))
    made = [next(day).event for _ in range(200)]
    assert [rejection(validator, message(encode(event))) for event in made] == [None] * 200
    assert any("size" not in line for event in made for line in event["lines"])
    assert any(line.get("size") for event in made for line in event["lines"])


def test_rules_that_no_event_keeps_are_an_error(parcels: EventFamily) -> None:
    def never(event: Any) -> None:
        raise ContractError(ErrorKind.RULE_VIOLATION, "never")

    strict = dataclasses.replace(parcels, rules=(never,))
    strict.__dict__["contract"] = parcels.contract
    with pytest.raises(ValueError, match="parcels: its rules accept no made-up event"):
        ContractEvents(strict).event(random.Random(1), NOW)
