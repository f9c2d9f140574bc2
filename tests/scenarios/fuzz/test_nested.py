"""Nested messages of several families as an enemy sends them; `make fuzz` is the long run."""

import contextlib
import datetime as dt
import random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_runner.traffic.broken import breakages
from local_runner.traffic.events import encode
from local_runner.traffic.from_contract import ContractEvents
from schemas.errors import ContractError
from schemas.families import FAMILIES
from schemas.family import EventFamily
from tests.scenarios.fuzz import strategies
from tests.scenarios.fuzz.path import Path
from tests.transforms.builders import NOW, message
from transforms.route import Router

SHOP = [family for family in FAMILIES.values() if family.written is None]
_SETTINGS = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
# With the profile of `make fuzz`, 200,000 messages of the three families.
_HAVOC = 31


@pytest.fixture(scope="module", params=SHOP, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> EventFamily:
    made: EventFamily = request.param
    return made


@pytest.fixture(scope="module")
def path(family: EventFamily) -> Path:
    return Path(family)


@pytest.fixture(scope="module")
def events(family: EventFamily) -> ContractEvents:
    return ContractEvents(family)


@pytest.fixture(scope="module")
def router() -> Router:
    return Router(list(FAMILIES.values()))


def through(path: Path, router: Router, body: bytes) -> None:
    sent = message(body)
    with contextlib.suppress(ContractError):
        router.family_of(sent)
    path.take(sent)


@given(seed=st.integers(0, 2**32 - 1), data=st.data())
@_SETTINGS
def test_a_nested_message_and_what_chance_makes_of_it_end_somewhere(
    family: EventFamily,
    path: Path,
    events: ContractEvents,
    router: Router,
    seed: int,
    data: Any,
) -> None:
    rng = random.Random(seed)
    moment = NOW - dt.timedelta(minutes=rng.randrange(600))
    event = events.event(rng, moment, whole=rng.random() < 0.5)
    through(path, router, encode(event))
    token = data.draw(strategies.values).encode(errors="surrogatepass")
    for body in (put(rng, event, token), rng.choice(BREAKAGES[family.name])(event).body):
        through(path, router, body)
    for body in strategies.havoc(encode(event), seed, _HAVOC):
        through(path, router, body)


BREAKAGES = {family.name: breakages(family) for family in SHOP}


def put(rng: random.Random, event: dict[str, Any], token: bytes) -> bytes:
    """The event with any of its values, at any level, replaced by the token."""
    places: list[tuple[Any, Any]] = []
    stack: list[Any] = [event]
    while stack:
        held = stack.pop()
        members = held.items() if isinstance(held, dict) else enumerate(held)
        for key, value in list(members):
            places.append((held, key))
            if isinstance(value, dict | list):
                stack.append(value)
    container, key = rng.choice(places)
    value, container[key] = container[key], "~token~"
    try:
        return msgspec.json.encode(event).replace(b'"~token~"', token)
    finally:
        container[key] = value
