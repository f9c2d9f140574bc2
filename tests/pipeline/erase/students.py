"""Messages of two students for the tests of erasing, whole and broken."""

import json
from collections.abc import Iterable

from pipeline.erase.persons import Persons
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.support.events import event

STUDENT = "anna-müller/7"
OTHER = "anna-müller/77"
BROKEN = [
    json.dumps(event(student_id=STUDENT)).encode()[:-5],  # cut off, in escapes
    json.dumps(event(student_id=STUDENT), ensure_ascii=False).encode()[:-5],
    json.dumps(event(student_id=STUDENT), ensure_ascii=False).replace("/", "\\/").encode() + b"}",
    json.dumps(event(student_id=STUDENT), ensure_ascii=False).encode("utf-16"),
    b"\xff\xfe garbage anna-m\xc3\xbcller/7\x00",
    json.dumps({"note": f"signed\nby {STUDENT}"}).encode(),
    json.dumps(event(student_id=[STUDENT])).encode(),
]
OTHERS = [
    json.dumps(event(student_id=OTHER)).encode()[:-5],
    json.dumps(event(student_id="x" + STUDENT)).encode()[:-5],
    json.dumps(event(student_id="bob", answer=f"I copied from {STUDENT}", attempt_no=0)).encode(),
    b"{broken",
    b"",
]


def students(ids: Iterable[str]) -> Persons:
    """The students with these ids."""
    return Persons(ids, [EXAM_EVENT])
