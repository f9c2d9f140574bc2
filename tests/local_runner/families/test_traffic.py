"""Traffic of several families on one topic."""

import collections
import datetime as dt
import itertools
import random
from typing import Any

import msgspec
import pytest

from local_runner.traffic.events import Sent
from local_runner.traffic.families import traffic_of
from local_runner.traffic.simulate import DUPLICATE, FACT, SimulatedMessage, simulate
from schemas.errors import ContractError
from schemas.event_time import EventTimeBounds
from schemas.families import FAMILIES
from schemas.message import Message
from transforms.decoding.decode import Decoder
from transforms.route import FAMILY_ATTRIBUTE, Router
from transforms.validate import Validator

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
NOW = START + dt.timedelta(hours=9)
# The pipeline's defaults (DESIGN 2).
BOUNDS = EventTimeBounds(max_age=dt.timedelta(days=1800), max_ahead=dt.timedelta(days=1))
SHOP = ("orders", "inventory", "user_activity")
TOGETHER = [FAMILIES[name] for name in SHOP]


class Pipeline:
    """What becomes of a message, after those before it: its outcome and its family."""

    def __init__(self, *names: str) -> None:
        families = [FAMILIES[name] for name in names]
        self._router = Router(families)
        self._validators = {
            family.name: Validator(family, BOUNDS, Decoder(family)) for family in families
        }
        self._seen: set[tuple[str, str]] = set()

    def result(self, sent: SimulatedMessage) -> tuple[str, str | None]:
        published = START + dt.timedelta(seconds=sent.offset_seconds)
        message = Message(
            payload=sent.payload,
            message_id="m",
            publish_time=published,
            source="s",
            attributes=sent.attributes,
        )
        name = None
        try:
            name = self._router.family_of(message)
            event = self._validators[name].validate(message, NOW).event
        except ContractError as error:
            return error.kind, name
        rejected = FAMILIES[name].dead_letter_types.get(event.event_type)
        if rejected is not None:
            return rejected, name
        known = (name, event.event_id) in self._seen
        self._seen.add((name, event.event_id))
        return DUPLICATE if known else FACT, name


@pytest.mark.parametrize("names", [SHOP, (*SHOP, "exam_event")])
@pytest.mark.parametrize("seed", range(3))
def test_the_labels_of_mixed_traffic_are_what_the_contracts_say(
    names: tuple[str, ...], seed: int
) -> None:
    pipeline = Pipeline(*names)
    for message in simulate(1_200, seed, START, [FAMILIES[name] for name in names]):
        expected = (message.outcome, message.family)
        assert pipeline.result(message) == expected, (message.attributes, message.payload[:500])


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_family_alone_needs_no_attribute(name: str) -> None:
    messages = simulate(400, 1, START, [FAMILIES[name]])
    assert {message.family for message in messages} == {name}
    assert not any(FAMILY_ATTRIBUTE in message.attributes for message in messages)


def test_the_same_seed_gives_the_same_messages() -> None:
    assert simulate(900, 1, START, TOGETHER) == simulate(900, 1, START, TOGETHER)
    assert simulate(900, 1, START, TOGETHER) != simulate(900, 2, START, TOGETHER)


def test_families_have_equal_shares_and_arrive_mixed() -> None:
    messages = simulate(1_000, 1, START, TOGETHER)
    named = collections.Counter(message.family for message in messages)
    assert len(messages) == 1_000
    assert [named[name] + named[None] // 3 for name in SHOP] == pytest.approx([333] * 3, abs=20)
    runs = [*itertools.groupby(message.family for message in messages)]
    assert len(runs) > 300
    assert [m.offset_seconds for m in messages] == sorted(m.offset_seconds for m in messages)


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_a_few_messages_are_as_many_as_asked_for(size: int) -> None:
    assert len(simulate(size, 1, START, TOGETHER)) == size


def test_about_half_of_the_messages_name_their_family() -> None:
    messages = simulate(1_000, 1, START, TOGETHER)
    named = [m for m in messages if FAMILY_ATTRIBUTE in m.attributes]
    assert 450 < len(named) < 550
    assert all(m.attributes[FAMILY_ATTRIBUTE] == m.family for m in named)
    assert any(m.family is None for m in messages), "no message that no family reads"


def test_copies_are_the_same_message_again_or_conflict() -> None:
    bodies = collections.defaultdict(list)
    for message in simulate(3_000, 1, START, TOGETHER):
        if message.outcome in {FACT, DUPLICATE}:
            event_id = msgspec.json.decode(message.payload).get("event_id")
            bodies[event_id or message.payload].append(message.payload)
    copies = [group for group in bodies.values() if len(group) > 1]
    assert any(len(set(group)) == 1 for group in copies)
    assert any(len(set(group)) > 1 for group in copies)


def drawn(name: str, count: int = 2_000) -> list[Sent]:
    events = traffic_of(FAMILIES[name]).events(random.Random(1), START)
    return sorted(itertools.islice(events, count), key=lambda sent: sent.happened_at)


def grouped(sent: list[Sent], *keys: str) -> list[list[dict[str, Any]]]:
    """The events that agree in these fields, in the order of their times."""
    groups = collections.defaultdict(list)
    for event, _ in sent:
        groups[tuple(event[key] for key in keys)].append(event)
    return [*groups.values()]


def test_an_order_goes_from_pending_to_delivered() -> None:
    statuses = ["pending", "processing", "shipped", "delivered"]
    orders = grouped(drawn("orders"), "order_id")
    for order in orders:
        places = [statuses.index(event["status"]) for event in order]
        assert places == sorted(places)
    assert any(order[-1]["status"] == "delivered" for order in orders)
    assert any(order[-1]["status"] == "pending" for order in orders)
    types = {event["event_type"] for order in orders for event in order}
    assert types == set(FAMILIES["orders"].event_types)


def test_nothing_is_sold_that_is_not_in_stock() -> None:
    for changes in grouped(drawn("inventory"), "product_id", "warehouse_id"):
        stock = [*itertools.accumulate(event["quantity_change"] for event in changes)]
        assert min(stock) >= 0
    reasons = {event["reason"] for event, _ in drawn("inventory")}
    assert reasons == set(FAMILIES["inventory"].contract["reason"].symbols)


def test_a_visit_begins_with_a_login_and_a_logout_ends_it() -> None:
    visits = collections.defaultdict(list)
    for event, _ in drawn("user_activity"):
        visits[event["metadata"]["session_id"]].append(event["activity_type"])
    assert {visit[0] for visit in visits.values()} == {"login"}
    assert all("logout" not in visit[:-1] for visit in visits.values())
    assert any(visit[-1] != "logout" for visit in visits.values())
    for visit in visits.values():
        assert visit.count("remove_from_cart") <= visit.count("add_to_cart")
