"""Input as an enemy: every message becomes a fact or a dead letter. `make fuzz` is the long run."""

import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.dead_letter import DeadLetter
from schemas.errors import ErrorKind
from schemas.exam_event.event import ValidExamEvent
from tests.fuzz import corpus, strategies
from tests.fuzz.path import take
from tests.transforms.builders import message, payload, raw
from tests.transforms.strategies import FIELDS
from transforms.dead_letters import to_pubsub

# What a body of 10 MB may take beside itself: its copy in a dead letter's row is 1 MiB of it.
_ROOM = 64_000_000
_SETTINGS = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.parametrize("name", corpus.BODIES)
def test_a_body_of_the_corpus_ends_somewhere_within_bounded_memory(name: str) -> None:
    sent = message(corpus.BODIES[name]())
    take(message())  # whatever is made once is made
    tracemalloc.start()
    try:
        take(sent)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _ROOM


@pytest.mark.parametrize("token", corpus.TOKENS, ids=lambda token: token[:12])
def test_a_token_of_the_corpus_ends_somewhere_in_every_place(token: str) -> None:
    for body in (token, *(f'"{name}":{token}' for name in (*FIELDS, "z"))):
        data = body.encode(errors="surrogatepass")
        take(message(data if body is token else raw(data)))


@pytest.mark.parametrize("way", strategies.messages)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@_SETTINGS
def test_a_drawn_message_and_what_chance_makes_of_it_end_somewhere(
    way: str, data: Any, seed: int
) -> None:
    sent = data.draw(strategies.messages[way])
    take(sent)
    for body in strategies.havoc(sent.payload, seed, 20 if len(sent.payload) < 10_000 else 1):
        take(msgspec.structs.replace(sent, payload=body))


@given(body=strategies.bodies["spoilt events"])
@_SETTINGS
def test_a_dead_letter_quotes_no_value(body: bytes) -> None:
    canary = b'"answer":"canary-value","question_id":"canary-value","extra_field":"canary-value"'
    out = take(message(body[:-1] + b"," + canary + b"}"))
    if isinstance(out, DeadLetter):
        _, attributes = to_pubsub(out)
        assert "canary" not in out.rejection.message
        assert not any("canary" in value for value in attributes.values())


def test_the_harness_tells_a_fact_from_a_dead_letter() -> None:
    assert isinstance(take(message()), ValidExamEvent)
    out = take(message(payload(attempt_no=0)))
    assert isinstance(out, DeadLetter)
    assert out.rejection.kind is ErrorKind.SCHEMA_VIOLATION
