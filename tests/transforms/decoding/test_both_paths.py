"""The two paths of decoding agree on any value in any field, at any level."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from transforms.decoding.decode import UNREADABLE, Decoder
from transforms.decoding.fast_decode import FastDecoder
from transforms.decoding.tree_decode import TreeDecoder
from transforms.identity import digest


def array(items: Any) -> dict[str, Any]:
    return {"type": {"type": "array", "items": items}}


DOUBLE = {"type": "double"}
LEAVES = {
    "name": ID,
    "number": {"type": "long"},
    "share": DOUBLE,
    "price": NUMERIC,
    "at": TIMESTAMP,
    "day": {"type": {"type": "int", "logicalType": "date"}},
    "flag": {"type": "boolean"},
    "names": array("string"),
    "shares": array("double"),
    "prices": array(NUMERIC["type"]),
    "times": array(TIMESTAMP["type"]),
    "document": {"type": {"type": "string", "sqlType": "JSON"}},
}
FIELDS = [field(name, nullable(declared)) for name, declared in LEAVES.items()]
READING = record(
    "Reading",
    field("event_type", enum("read")),
    field("read_at", TIMESTAMP),
    *FIELDS,
    field("inner", nullable({"type": record("Inner", *FIELDS)})),
    field("inners", nullable(array(record("Element", *FIELDS)))),
    field("event_id", nullable(ID)),
)
WIDE = "0.1000000000000000055511151231257827"
TOKENS = [
    *("null", "true", "0", "-0", "1.0", "-0.0", "1e2", "0.1", WIDE, "1e400", "1e-400", "1E-99999"),
    *(str(2**63 - 1), str(2**63), "9" * 29, "1" * 40, "1" * 5_000, f"-{'9' * 29}.9999999995"),
    *('"x"', '""', '"1"', '"-0"', '"NaN"', '"1E+999999999"', '"1E-999999999"', r'"\ud800"'),
    *('"2026-03-02"', '"2026-03-02T10:00:00Z"', '"2026-03-02T10:00:00+0100"', "{}", "[]"),
    *('"2026-03-02T10:00:00.1234567Z"', '"0001-01-01T00:00:00+01:00"', '{"a": 1.5}', "[null]"),
    *('["2026-03-02T10:00:00Z"]', '["2026-03-02T10:00:00+0000"]', '["0001-01-01T00:00:00+01:00"]'),
    *('["a"]', "[1, 2.5]", f"[{WIDE}]", '["NaN"]', '["2026-03-02T10:00:00.9999999Z"]'),
]


@pytest.fixture(scope="module")
def family():
    with registered(
        READING, name="readings", table="readings_fact", event_time="read_at"
    ) as readings:
        yield readings


def members(drawn: dict[str, str]) -> str:
    return ", ".join(f'"{name}": {text}' for name, text in drawn.items())


def reading(text: str) -> bytes:
    start = '{"event_type": "read", "read_at": "2026-03-02T10:00:00Z"'
    return f"{start}, {text}}}".encode() if text else f"{start}}}".encode()


leaves = st.dictionaries(
    st.sampled_from([*LEAVES, "unknown"]), st.sampled_from(TOKENS), max_size=2
).map(members)
bodies = st.one_of(
    leaves,
    leaves.map(lambda text: f'"inner": {{{text}}}'),
    leaves.map(lambda text: f'"inners": [{{}}, {{{text}}}]'),
).map(reading)


@given(body=bodies)
@settings(max_examples=1000)
@example(reading('"times": ["2026-03-02T10:00:00Z"]'))
@example(reading('"times": ["2026-03-02T10:00:00+0100"]'))
@example(reading(f'"share": {WIDE}'))
@example(reading(f'"share": {"9" * 29}'))
@example(reading(f'"inners": [{{"shares": [{WIDE}]}}]'))
def test_what_the_fast_path_takes_the_slow_one_reads_alike(family, body):
    for expected in ([], ["unknown"]):
        taken = None
        with contextlib.suppress(*UNREADABLE):
            taken = FastDecoder(family, expected).decode(body)
        if taken is None:
            continue
        parts = TreeDecoder(family).decode(body)
        assert taken[0] == parts.event
        assert msgspec.json.decode(taken[1] or "{}") == parts.unknown
        assert digest(taken[0], None) == digest(parts.event, None)


@pytest.mark.parametrize("number", ["42", str(2**64), "1" * 5_000, WIDE, "1e400"])
@pytest.mark.parametrize("name", ["name", "at", "day", "flag"])
def test_no_number_is_text(family, name, number):
    with pytest.raises(ContractError) as error:
        Decoder(family).decode(reading(f'"inner": {{"{name}": {number}}}'))
    assert (error.value.kind, error.value.field) == (ErrorKind.SCHEMA_VIOLATION, f"inner.{name}")


def test_a_double_has_the_nearest_value_of_what_was_written(family):
    event, _ = Decoder(family).decode(reading(f'"share": {WIDE}, "unknown": 1.5'))
    assert event.share == 0.1
