"""Which messages are a student's: by what they say of themselves, and in every spelling."""

import itertools
import json
import random
import re
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.erase.students import Students
from tests.pipeline.erase.students import BROKEN, OTHER, OTHERS, STUDENT
from tests.support.events import event


@pytest.mark.parametrize(
    "payload", [json.dumps(event(student_id=STUDENT)).encode(), *BROKEN], ids=itertools.count()
)
def test_a_students_message_is_known_whatever_it_looks_like(payload):
    assert Students([STUDENT]).own(payload)
    assert Students(["bob", STUDENT]).own(payload)


@pytest.mark.parametrize(
    "payload", [json.dumps(event(student_id=OTHER)).encode(), *OTHERS], ids=itertools.count()
)
def test_the_messages_of_others_are_not(payload):
    assert not Students([STUDENT]).own(payload)


def test_a_message_that_names_its_student_is_judged_by_that_alone():
    theirs = json.dumps(event(student_id="bob")).encode()
    for attributes in ({"student": "1"}, {"trace": "1"}, {"replay_count": "1", "replay_of": "1"}):
        assert not Students(["1"]).own(theirs, attributes)
        assert Students(["bob"]).own(theirs, attributes)


def test_the_attributes_of_a_message_that_names_nobody_count_as_whole_values():
    for payload in (b"", b"{broken", b'{"student_id": null}', b'{"student_id": ["bob"]}'):
        assert Students([STUDENT]).own(payload, {"student": STUDENT})
        for value in (OTHER, f"of {STUDENT}", f"{STUDENT},{OTHER}"):
            assert not Students([STUDENT]).own(payload, {"student": value})
        assert not Students([STUDENT]).own(payload, {STUDENT: "the key"})
        assert not Students([STUDENT]).own(payload, {"replay_of": STUDENT})


@given(student=st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable()))
def test_any_id_is_found_however_json_spells_it(student):
    for ascii_only in (True, False):
        payload = json.dumps({"student_id": student}, ensure_ascii=ascii_only).encode()
        assert Students([student]).own(payload)
        assert Students([student]).own(payload[:-1])
    everything = "".join(
        f"\\u{unit}" for unit in student.encode("utf-16-be").hex(" ", 2).upper().split()
    )
    assert Students([student]).own(b'{"student_id": "%b"' % everything.encode())


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
    assert Students(ids).own(payload) == bool(pattern(ids).search(payload))


def test_twenty_times_as_many_ids_take_no_longer():
    chance = random.Random(7)
    payload = b'{"student_id": "x", "answer": "' + b"lorem ipsum dolor sit amet " * 1000

    def seconds(count):
        ids = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(count)]
        students = Students(ids)
        started = time.process_time()
        assert not students.own(payload)
        assert students.own(payload + ids[-1].encode())
        return time.process_time() - started

    few = min(seconds(200) for _ in range(5))
    many = min(seconds(4_000) for _ in range(5))
    assert many < 4 * few


def test_an_id_of_backslashes_takes_no_time():
    assert Students(["\\" * 128]).own(b"{" + b"\\" * 200)
    assert not Students(["\\" * 128]).own(b"{" + b"\\" * 127)
