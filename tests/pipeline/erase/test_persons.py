"""Which messages are a person's: by what they say of themselves, and in every spelling."""

import itertools
import json
import random
import re
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.erase.persons import Persons
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.pipeline.erase.students import BROKEN, OTHER, OTHERS, STUDENT, students
from tests.support.events import event
from tests.support.parcels import families, gate, parcel


@pytest.mark.parametrize(
    "payload", [json.dumps(event(student_id=STUDENT)).encode(), *BROKEN], ids=itertools.count()
)
def test_a_students_message_is_known_whatever_it_looks_like(payload):
    assert students([STUDENT]).own(payload)
    assert students(["bob", STUDENT]).own(payload)


@pytest.mark.parametrize(
    "payload", [json.dumps(event(student_id=OTHER)).encode(), *OTHERS], ids=itertools.count()
)
def test_the_messages_of_others_are_not(payload):
    assert not students([STUDENT]).own(payload)


def test_a_message_that_names_its_student_is_judged_by_that_alone():
    theirs = json.dumps(event(student_id="bob")).encode()
    for attributes in ({"student": "1"}, {"trace": "1"}, {"replay_count": "1", "replay_of": "1"}):
        assert not students(["1"]).own(theirs, attributes)
        assert students(["bob"]).own(theirs, attributes)


def test_the_attributes_of_a_message_that_names_nobody_count_as_whole_values():
    for payload in (b"", b"{broken", b'{"student_id": null}', b'{"student_id": ["bob"]}'):
        assert students([STUDENT]).own(payload, {"student": STUDENT})
        for value in (OTHER, f"of {STUDENT}", f"{STUDENT},{OTHER}"):
            assert not students([STUDENT]).own(payload, {"student": value})
        assert not students([STUDENT]).own(payload, {STUDENT: "the key"})
        assert not students([STUDENT]).own(payload, {"replay_of": STUDENT})


@given(student=st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable()))
def test_any_id_is_found_however_json_spells_it(student):
    for ascii_only in (True, False):
        payload = json.dumps({"student_id": student}, ensure_ascii=ascii_only).encode()
        assert students([student]).own(payload)
        assert students([student]).own(payload[:-1])
    everything = "".join(
        f"\\u{unit}" for unit in student.encode("utf-16-be").hex(" ", 2).upper().split()
    )
    assert students([student]).own(b'{"student_id": "%b"' % everything.encode())


WITHIN = rb"[\w\-\x80-\xff]"
ALPHABET = 'ab\\nu061-/" é😀'
PIECES = [rb"\u0061", rb"\u00E9", rb"\ud83d\ude00", rb"\n", rb"\/", rb"\\", rb"\ud83d", b"\t"]
PIECES += [*(character.encode() for character in ALPHABET), b"\x80", b"\xc3", b"\xf0\x9f"]


def pattern(ids):
    """A pattern of all spellings of all ids: slow, and plain to see right."""

    def spellings(character):
        yield re.escape(character.encode())
        units = character.encode("utf-16-be").hex(" ", 2).split()
        yield b"".join(rb"\\u(?i:%b)" % unit.encode() for unit in units)
        short = {'"': '"', "\\": "\\", "/": "/", "\n": "n", "\t": "t"}.get(character)
        if short is not None:
            yield re.escape(f"\\{short}".encode())

    spelled = b"|".join(
        b"".join(b"(?:%b)" % b"|".join(spellings(character)) for character in student)
        for student in ids
    )
    return re.compile(rb"(?:(?<!%b)|(?<=\\[bfnrt]))(?:%b)(?!%b)" % (WITHIN, spelled, WITHIN))


@given(
    ids=st.sets(st.text(f"{ALPHABET}\n\t", min_size=1, max_size=4), min_size=1, max_size=4),
    text=st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join),
)
def test_a_mention_is_a_whole_word_in_any_spelling(ids, text):
    payload = text + b"{"  # no JSON, so that mentions count
    assert students(ids).own(payload) == bool(pattern(ids).search(payload))


def test_twenty_times_as_many_ids_take_no_longer():
    chance = random.Random(7)
    payload = b'{"student_id": "x", "answer": "' + b"lorem ipsum dolor sit amet " * 1000

    def seconds(count):
        ids = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(count)]
        persons = students(ids)
        started = time.process_time()
        assert not persons.own(payload)
        assert persons.own(payload + ids[-1].encode())
        return time.process_time() - started

    few = min(seconds(200) for _ in range(5))
    many = min(seconds(4_000) for _ in range(5))
    assert many < 4 * few


def test_an_id_of_backslashes_takes_no_time():
    assert students(["\\" * 128]).own(b"{" + b"\\" * 200)
    assert not students(["\\" * 128]).own(b"{" + b"\\" * 127)


@pytest.fixture
def parcels():
    """A family whose messages name a customer."""
    with families() as (parcels, _):
        yield parcels


def test_the_fields_of_the_families_decide_whose_a_message_is(parcels):
    both, one = Persons(["c1"], [parcels, EXAM_EVENT]), Persons(["c1"], [parcels])
    for payload in (parcel("a", customer_id="c1"), json.dumps(event(student_id="c1")).encode()):
        assert both.own(payload)
    assert not both.own(parcel("a", customer_id="c2", note="signed by c1"))
    assert not both.own(json.dumps(event(student_id="c2", answer="c1")).encode())
    assert one.own(b'{"student_id": "c2", "note": "signed by c1"}')  # names no customer
    assert one.own(b'{"customer_id": ["c1"]}')
    assert one.own(b'{"student_id": "c2", "customer_id": "c1"}')


def test_a_message_of_another_family_is_not_judged_by_what_it_mentions(parcels):
    theirs, text = Persons(["17"], [parcels]), b'{"answer": "17"}'
    assert not theirs.own(text, {"event_family": "exam_event"})
    assert theirs.own(text, {"event_family": "parcels"})
    assert theirs.own(text, {"event_family": "of nobody here"})
    assert theirs.own(b'{"customer_id": "17"}', {"event_family": "exam_event"})
    assert not theirs.own(json.dumps(event(student_id="s1", attempt_no=17)).encode())
    assert not theirs.own(gate("g17", gate_id="17"))
    assert theirs.own(gate("g17", gate_id="17")[:-1])  # broken: it may be of any family
