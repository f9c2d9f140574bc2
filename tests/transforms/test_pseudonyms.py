"""Ids of persons are replaced wherever a row would hold them."""

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event_time import EventTimeBounds
from schemas.families import FAMILIES
from tests.support.families import ID, TIMESTAMP, enum, field, nullable, record, registered
from tests.support.pseudonyms import KEYS, expected
from tests.transforms.builders import BOUNDS, NOW, message, payload
from transforms.decoding.decode import Decoder
from transforms.pseudonyms import PseudonymChain, Pseudonymizer
from transforms.validate import Validator

K1, K2 = ({name: KEYS[name].encode()} for name in KEYS)
ONE, BOTH = PseudonymChain(K1), PseudonymChain(K1 | K2)


def replaced(family: Any, body: Any, chain: PseudonymChain = ONE) -> Any:
    """The valid event of a payload, with pseudonyms."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    bounds: EventTimeBounds = family.bounded(BOUNDS)
    validator = Validator(family, bounds, Decoder(family), chain.identity_key)
    valid = validator.validate(message(data), NOW)
    changed = Pseudonymizer(family, chain).replace(valid)
    assert changed.message == valid.message
    return changed


@given(st.text(min_size=1))
def test_a_pseudonym_is_the_keys_name_and_128_bits_of_hmac(value):
    assert ONE.pseudonym(value) == expected(value, "k1")
    assert BOTH.pseudonym(value) == expected(value, "k1", "k2")
    assert BOTH.stages(value) == [value, expected(value, "k1"), expected(value, "k1", "k2")]


@given(st.text(min_size=1))
def test_a_pseudonym_gets_only_the_keys_that_follow_its_own(value):
    old, new = ONE.pseudonym(value), BOTH.pseudonym(value)
    assert PseudonymChain(K2).pseudonym(old) == new  # with the new key alone, and no id
    assert [BOTH.pseudonym(old), BOTH.pseudonym(new), ONE.pseudonym(old)] == [new, new, old]


def test_keys_are_long_different_and_not_pickled():
    with pytest.raises(ValueError, match=r"^key k1 has 31 bytes: it needs at least 32$"):
        PseudonymChain({"k1": b"x" * 31})
    with pytest.raises(ValueError, match="two of them are the same"):
        PseudonymChain({"k1": b"x" * 32, "k2": b"x" * 32})
    with pytest.raises(TypeError):
        pickle.dumps(ONE)
    assert KEYS["k1"] not in repr(ONE)


def test_an_exam_event_keeps_all_but_the_student():
    family = FAMILIES["exam_event"]
    changed = replaced(family, payload(student_id="s1", test_id="t1"))
    assert changed.event.student_id == expected("s1", "k1")
    assert (changed.event.test_id, changed.event.event_id) == ("t1", "e1")
    assert changed.extra is None


def test_unknown_fields_and_json_lose_the_ids_too():
    family = FAMILIES["exam_event"]
    unknown = {"who": ["s1", {"at": "s1 at home"}], "StudentId": "s2", "user-id": 7, "n": 1.5}
    body = payload(
        event_type="store_error", error_payload={"code": "x", "customer_id": "s1"}, **unknown
    )
    changed = replaced(family, body)
    mine = expected("s1", "k1")
    assert json.loads(changed.extra) == {
        "who": [mine, {"at": "s1 at home"}],
        "StudentId": expected("s2", "k1"),
        "user-id": expected("7", "k1"),
        "n": 1.5,
    }
    assert changed.event.error_payload == {"code": "x", "customer_id": mine}


@pytest.mark.parametrize(
    ("dimension", "is_person"),
    [("student", True), ("teacher", True), ("test", False), ("question", False)],
)
def test_the_key_of_a_dimension_is_replaced_where_it_is_a_person(dimension, is_person):
    body = {
        "event_type": "dimension_change",
        "dimension": dimension,
        "key": "p1",
        "op": "upsert",
        "version_ts": "2026-03-02T10:00:00Z",
        "row": {"teacher_id": "p2", "grade": "7", "user_id": None, "customer_id": ""},
        "private_row": {"name": "Anna"},
    }
    event = replaced(FAMILIES["dimension_change"], body, BOTH).event
    assert event.key == (expected("p1", "k1", "k2") if is_person else "p1")
    teacher = expected("p2", "k1", "k2")
    assert event.row == {"teacher_id": teacher, "grade": "7", "user_id": None, "customer_id": ""}
    assert event.private_row == {"name": "Anna"}


def test_fields_of_records_and_elements_of_arrays_are_replaced():
    reader = record("Reader", field("id", ID | {"private": True}), field("role", ID))
    contract = record(
        "Loan",
        field("event_id", ID),
        field("event_type", enum("loan")),
        field("at", TIMESTAMP),
        field("readers", {"type": {"type": "array", "items": reader}}),
        field("guests", {"type": {"type": "array", "items": "string"}, "private": True}),
        field("note", nullable(ID)),
    )
    body = {
        "event_id": "e1",
        "event_type": "loan",
        "at": "2026-03-02T10:00:00Z",
        "readers": [{"id": "r1", "role": "r1"}, {"id": "r2", "role": "x"}],
        "guests": ["g1", "g2"],
    }
    with registered(contract, name="loans", table="loans_fact", event_time="at") as family:
        event = replaced(family, body).event
    assert [(each.id, each.role) for each in event.readers] == [
        (expected("r1", "k1"), "r1"),
        (expected("r2", "k1"), "x"),
    ]
    assert event.guests == [expected("g1", "k1"), expected("g2", "k1")]


def test_an_id_that_is_a_digest_of_the_event_cannot_be_guessed_and_never_rotates():
    body = {
        "event_type": "user_activity",
        "user_id": "u1",
        "activity_type": "login",
        "ip_address": "10.0.0.1",
        "user_agent": "Firefox",
        "timestamp": "2026-03-02T10:00:00Z",
        "metadata": {"session_id": "x1", "platform": "web"},
    }
    family = FAMILIES["user_activity"]
    one, both = replaced(family, body), replaced(family, body, BOTH)
    data = json.dumps(body).encode()
    plain = Validator(family, BOUNDS, Decoder(family)).validate(message(data), NOW).event
    assert one.event.event_id == both.event.event_id != plain.event_id
    assert one.event.ip_address == expected("10.0.0.1", "k1")
    assert both.event.user_id == expected("u1", "k1", "k2")
