import json
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from schemas.exam_event.event import ExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.transforms import strategies
from tests.transforms.builders import DECODER, outcome, payload, raw
from transforms.fixes import FIXES

UNKNOWN = '"z": [1e400, {"a":1,"a":2}, 1.50]'


def fixed(name: str, data: bytes) -> bytes:
    return FIXES[name](EXAM_EVENT, data)


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("assume_utc", {"client_ts": "2026-03-02T10:00:00"}, {"client_ts": "2026-03-02T10:00:00Z"}),
        (
            "assume_utc",
            {"session_start_ts": "2026-03-02 09:00:00.1234567"},
            {"session_start_ts": "2026-03-02T09:00:00.123456Z"},
        ),
        ("parse_strings", {"attempt_no": "2"}, {"attempt_no": 2}),
        ("parse_strings", {"session_duration_seconds": "60"}, {"session_duration_seconds": 60}),
        ("parse_strings", {"is_correct_answer": "True"}, {"is_correct_answer": True}),
        ("parse_strings", {"is_late_submission": "0"}, {"is_late_submission": False}),
    ],
)
def test_what_was_refused_is_what_was_meant(
    name: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    assert not isinstance(outcome(payload(**right)), Exception)
    assert isinstance(outcome(payload(**wrong)), Exception)
    assert DECODER.decode(fixed(name, payload(**wrong))) == DECODER.decode(payload(**right))


def test_a_byte_order_mark_is_stripped() -> None:
    assert fixed("strip_byte_order_mark", b"\xef\xbb\xbf" + payload()) == payload()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("assume_utc", {"client_ts": "2026-03-02T10:00:00+01:00"}),
        ("assume_utc", {"client_ts": "2026-03-02"}),
        ("assume_utc", {"client_ts": 1772445600}),
        ("assume_utc", {"answer": "2026-03-02T10:00:00"}),
        ("assume_utc", {"z": "2026-03-02T10:00:00"}),
        ("parse_strings", {"attempt_no": "two"}),
        ("parse_strings", {"attempt_no": "02"}),
        ("parse_strings", {"attempt_no": "1.0"}),
        ("parse_strings", {"attempt_no": "٣"}),
        ("parse_strings", {"is_correct_answer": "yes"}),
        ("parse_strings", {"answer": "1", "question_id": "1", "z": "1"}),
        ("strip_byte_order_mark", {"answer": "\ufeff"}),
    ],
)
def test_what_it_is_not_about_stays_byte_for_byte(name: str, fields: dict[str, Any]) -> None:
    assert fixed(name, payload(**fields)) == payload(**fields)


@pytest.mark.parametrize("name", FIXES)
@given(data=st.binary(max_size=60) | strategies.json_texts.map(str.encode))
@example(data=b"[" * 200_000)
@example(data=b'{"client_ts": "\\ud800"}')
@example(data=b'{"attempt_no": "\\ud83d"}')
@example(data=b'{"client_ts": "\\x"}')
@example(data=b'{"attempt_no": "1", "\\ud800": 1}')
@example(data=b'{"client_ts": "2026-03-02T10:00:00\x01"}')
@example(data=b'{"attempt_no": "1", "z": NaN}')
@example(data=b'{"client_ts": "2026-03-02T10:00:00\xff", "attempt_no": "1\xff"}')
def test_anything_else_stays_byte_for_byte(name: str, data: bytes) -> None:
    assume(name != "strip_byte_order_mark" or not data.startswith(b"\xef\xbb\xbf"))
    assert fixed(name, data) == data


@pytest.mark.parametrize("name", ["assume_utc", "parse_strings"])
def test_the_other_fields_keep_their_bytes(name: str) -> None:
    wrong = raw(f'"session_start_ts": "2026-03-02T10:00:00", "attempt_no": "1", {UNKNOWN}')
    mended = fixed(name, wrong)
    assert mended != wrong
    assert b'[1e400, {"a":1,"a":2}, 1.50]' in mended
    assert list(json.loads(mended)) == list(json.loads(wrong))
    assert fixed(name, mended) == mended


@given(event=strategies.events)
def test_a_valid_event_is_not_touched(event: ExamEvent) -> None:
    data = msgspec.json.encode(event)
    assert all(fixed(name, data) == data for name in FIXES)
