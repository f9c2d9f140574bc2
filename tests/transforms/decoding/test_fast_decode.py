import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.errors import ErrorKind
from schemas.exam_event.event import ExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.transforms import cases, strategies
from tests.transforms.builders import payload, raw
from transforms.decoding.decode import Decoder
from transforms.decoding.fast_decode import MAX_UNKNOWN_FIELDS, FastDecoder

NAMES = ("a", "app_build", "device", "x-trace.id")
ONE_STEP = FastDecoder(EXAM_EVENT, NAMES)


def closely(data: bytes) -> Any:
    """What a decoder gives that has learnt nothing yet, and so reads unknown fields as a tree."""
    return Decoder(EXAM_EVENT).decode(data)


def members(*names: str) -> Any:
    """Unknown fields of these names as they may be written, some of them twice."""
    return st.lists(st.tuples(st.sampled_from(names), values), max_size=5).map(
        lambda drawn: ", ".join(f'"{name}": {text}' for name, text in drawn)
    )


plain = st.integers(-(2**65), 2**65).map(str) | st.text(max_size=8).map(json.dumps)
values = plain | strategies.json_texts | st.sampled_from(["null", "true", "-0", "9" * 19])


@given(event=strategies.events, written=members(*NAMES))
@settings(max_examples=500)
@example(msgspec.json.decode(payload(), type=ExamEvent), f'"a": {2**63 - 1}')
@example(msgspec.json.decode(payload(), type=ExamEvent), f'"a": {2**63}')
@example(msgspec.json.decode(payload(), type=ExamEvent), f'"a": {-(2**63)}')
@example(msgspec.json.decode(payload(), type=ExamEvent), f'"a": {-(2**63) - 1}')
@example(msgspec.json.decode(payload(), type=ExamEvent), f'"device": {{"n": [{2**64}]}}')
@example(msgspec.json.decode(payload(), type=ExamEvent), '"a": 1.0, "a": 1')
def test_one_step_gives_what_a_closer_look_gives(event: ExamEvent, written: str) -> None:
    data = msgspec.json.encode(event)
    if written:
        data = data[:-1] + b"," + written.encode() + b"}"
    quick = ONE_STEP.decode(data)
    assert quick is None or quick == closely(data)


@pytest.mark.parametrize(
    "data",
    [
        *[pytest.param(case[1], id=case[0]) for case in cases.TAKEN],
        *[pytest.param(case[1], id=case[0]) for case in cases.EXTRAS],
        *[pytest.param(payload(client_ts=text, a=1), id=text) for text, _ in cases.INSTANTS],
    ],
)
def test_one_step_gives_the_same_by_example(data: bytes) -> None:
    step = FastDecoder(EXAM_EVENT, [*NAMES, "z", "publish_ts", "extra", "Answer"])
    quick = step.decode(data)
    assert quick is None or quick == closely(data)


REFUSED = [case for case in cases.REFUSED if case[2] is not ErrorKind.TOO_LARGE]


@pytest.mark.parametrize(("_", "data", "kind", "field"), REFUSED, ids=[case[0] for case in REFUSED])
def test_one_step_takes_nothing_that_is_refused(_: str, data: bytes, kind: Any, field: Any) -> None:
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        assert FastDecoder(EXAM_EVENT, [*NAMES, "z", "n"]).decode(data) is None


TAKEN = [
    ("{}", None),
    ('{"app_build": 5123}', '{"app_build":5123}'),
    (f'{{"a": [{2**63 - 1}, {-(2**63)}]}}', f'{{"a":[{2**63 - 1},{-(2**63)}]}}'),
    (
        '{"device": {"os": "android", "offline": true}}',
        '{"device":{"offline":true,"os":"android"}}',
    ),
    ('{"x-trace.id": null, "a": ["\\u00e9", 1]}', '{"a":["é",1],"x-trace.id":null}'),
    ('{"a": [{"b": "1", "a": 2}]}', '{"a":[{"a":2,"b":"1"}]}'),
]


@pytest.mark.parametrize(("document", "extra"), TAKEN)
def test_what_apps_add_takes_one_step(document: str, extra: str | None) -> None:
    data = payload(**json.loads(document))
    quick = ONE_STEP.decode(data)
    assert quick is not None
    assert quick == closely(data)
    assert quick[1] == extra


@pytest.mark.parametrize(
    "members",
    [
        '"answer": "10000"',
        '"answer": "+0100"',
        '"client_ts": "2026-03-02T10:00:00+01:00", "answer": "0100"',
        '"client_ts": "2026-03-02T10:00:00-00:00"',
        '"client_ts": "2026-03-02T10:00:00.123456-05:30", "session_start_ts": null',
    ],
)
def test_what_only_resembles_a_wrong_offset_takes_one_step(members: str) -> None:
    quick = FastDecoder(EXAM_EVENT).decode(raw(members))
    assert quick is not None
    assert quick == closely(raw(members))


CLOSER = [
    '"b": 1',  # unexpected
    '"a": 0.5',
    f'"a": {2**63}',
    '"a": [[[1]]]',
    '"error_payload": {}',
    r'"answer": "\u0030"',
    '"session_start_ts": "2026-03-02T10:00:00.1234567Z"',
]


@pytest.mark.parametrize("written", CLOSER)
def test_leaves_to_a_closer_look(written: str) -> None:
    assert ONE_STEP.decode(raw(written)) is None


def test_learns_what_messages_carry() -> None:
    step = FastDecoder(EXAM_EVENT)
    assert step.decode(raw('"a": 1')) is None
    wider = step.expecting(["a"])
    assert wider.decode(raw('"a": 1')) == closely(raw('"a": 1'))
    assert step.decode(raw('"a": 1')) is None
    assert wider.expecting(["a"]) is wider


@pytest.mark.parametrize("name", ["", "ä", 'a"b', "a\\b", "a b", "\n", "x" * 65])
def test_learns_no_odd_names(name: str) -> None:
    assert ONE_STEP.expecting([name]) is ONE_STEP


def test_learns_only_so_many_names() -> None:
    full = FastDecoder(EXAM_EVENT).expecting(f"n{place}" for place in range(MAX_UNKNOWN_FIELDS))
    assert full.decode(raw('"n0": 1')) is not None
    assert full.expecting(["one_more"]) is full


@given(names=st.lists(members("a", "app_build", "b"), min_size=1, max_size=6))
def test_what_was_learnt_changes_nothing(names: list[str]) -> None:
    learning = Decoder(EXAM_EVENT)
    for written in [*names, *names]:
        data = raw(written) if written else payload()
        assert learning.decode(data) == closely(data)
