"""The contract of version 1 by example (DESIGN 2), as data.

A case is (name, payload, what comes out): ``TAKEN`` a field and its value, ``EXTRAS`` the JSON text
of unknown fields, ``REFUSED`` an error kind and the field at fault.
"""

import datetime as dt
import json

from schemas.errors import ErrorKind
from schemas.exam_event.event import EventType
from tests.transforms.builders import REQUIRED, payload, raw
from transforms.decoding.decode import MAX_PAYLOAD_BYTES

NOT_JSON, TOO_LARGE = ErrorKind.NOT_JSON, ErrorKind.TOO_LARGE
SCHEMA = ErrorKind.SCHEMA_VIOLATION
EMOJI = "\N{GRINNING FACE}"
MANY_DIGITS = "7" * 5_000


def at(*parts: int, offset: dt.timedelta = dt.timedelta()) -> dt.datetime:
    return dt.datetime(2026, 3, 2, *parts, tzinfo=dt.timezone(offset))


def sized(size: int) -> bytes:
    """A valid message of exactly this many bytes."""
    return payload(padding="." * (size - len(payload(padding=""))))


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in REQUIRED.items() if name != field}).encode()


TAKEN = [
    *[(f"{kind}", payload(event_type=kind), "event_type", kind) for kind in EventType],
    *[
        (f"128 in {f}", payload(**{f: "x" * 128}), f, "x" * 128)
        for f in ("event_id", "question_id")
    ],
    ("128 code points", payload(student_id=EMOJI * 128), "student_id", EMOJI * 128),
    ("escaped emoji", raw(r'"answer": "\ud83d\ude00"'), "answer", EMOJI),
    ("longest answer", payload(answer=EMOJI * 8_192), "answer", EMOJI * 8_192),
    ("empty answer", payload(answer=""), "answer", ""),
    ("null", payload(answer=None), "answer", None),
    ("absent", payload(), "attempt_no", None),
    ("true", payload(is_correct_answer=True), "is_correct_answer", True),
    ("0", payload(is_correct_answer=0), "is_correct_answer", False),
    ("1", payload(is_late_submission=1), "is_late_submission", True),
    ("least attempt", payload(attempt_no=1), "attempt_no", 1),
    ("last attempt", payload(attempt_no=2**31 - 1), "attempt_no", 2**31 - 1),
    ("shortest session", payload(session_duration_seconds=1), "session_duration_seconds", 1),
    ("longest", payload(session_duration_seconds=604_800), "session_duration_seconds", 604_800),
    ("error object", payload(error_payload={"b": [1]}), "error_payload", {"b": [1]}),
    ("empty error object", payload(error_payload={}), "error_payload", {}),
    ("a key twice", raw('"answer": "a", "answer": "b"'), "answer", "b"),
    ("a key twice, first invalid", raw('"answer": 1, "answer": "b"'), "answer", "b"),
    ("a key twice, first of required", raw('"event_id": "e2"'), "event_id", "e2"),
    (
        "wide error number",
        raw(f'"error_payload": {{"n": {2**70}}}'),
        "error_payload",
        {"n": str(2**70)},
    ),
    ("spaces around", b" \r\n\t" + payload() + b"\n", "event_id", "e1"),
]

INSTANTS = [
    ("2026-03-02T10:00:00Z", at(10)),
    ("2026-03-02T10:00:00z", at(10)),
    ("2026-03-02T10:00:00-00:00", at(10)),
    ("2026-03-02t10:00:00Z", at(10)),
    ("2026-03-02 10:00:00Z", at(10)),
    ("2026-03-02T10:00:00+00:00", at(10)),
    ("2026-03-02T15:30:00+05:30", at(10)),
    ("2026-03-01T22:00:00.5-12:00", at(10, 0, 0, 500_000)),
    ("2026-03-02T10:00:00.123456Z", at(10, 0, 0, 123_456)),
    ("2026-03-02T10:00:00.1234567Z", at(10, 0, 0, 123_456)),
    ("2026-03-02T10:00:00.9999999Z", at(10, 0, 0, 999_999)),
    ("2026-03-02T10:59:59.999999999999Z", at(10, 59, 59, 999_999)),
    ("2026-03-02T10:00:00.0000009+00:00", at(10)),
    (r"2026-03-02T10:00:00\u002e9999999Z", at(10, 0, 0, 999_999)),
    (r"2026-03-02T10:00:00.999999\u0039Z", at(10, 0, 0, 999_999)),
    (r"2026-03-02T10:00:00\u002E\u0039999999Z", at(10, 0, 0, 999_999)),
]

NO_INSTANTS = [
    "2026-03-02T10:00:00",
    "2026-03-02T10:00:00.1234567",
    "2026-03-02",
    "2026-02-30T10:00:00Z",
    "2026-03-02T25:00:00Z",
    "2026-03-02T10:00:00.Z",
    "2026-03-02T10:00:00+24:00",
    "2026-03-02T10:00:00+0100",
    "2026-03-02T10:00:00-0530",
    "2026-03-02T10:00:00+0000",
    "2026-03-02T10:00:00-0000",
    "2026-03-02t10:00:00.5+0000",
    "2026-03-02 10:00:00.123456-1200",
    "2026-03-02T10:00:00.1234567+0100",
    "2026-03-02T10:00:00+01",
    "2026-03-02T10:00:00,5Z",
    "2026-03-02T10:00Z",
    "20260302T100000Z",
    "10:00:00Z",
    "1772445600",
    "",
]

# The same, where an escape stands for the sign or a digit.
ESCAPED_NO_INSTANTS = [
    r"2026-03-02T10:00:00\u002b0000",
    r"2026-03-02T10:00:00+010\u0030",
]

EXTRAS = [
    ("unknown fields sorted", raw('"z": 1, "a": {"d": 1, "c": 2}'), '{"a":{"c":2,"d":1},"z":1}'),
    ("named like a column", raw('"publish_ts": "x", "extra": {}'), '{"extra":{},"publish_ts":"x"}'),
    ("renamed column", raw('"client_is_late_submission": 1'), '{"client_is_late_submission":1}'),
    ("in other case", raw('"Answer": "x"'), '{"Answer":"x"}'),
    ("null", raw('"z": null'), '{"z":null}'),
    ("a key twice", raw('"z": 1, "z": 2'), '{"z":2}'),
    ("a key twice within", raw('"z": {"y": 1, "y": []}'), '{"z":{"y":[]}}'),
    ("0.1", raw('"z": 0.1'), '{"z":0.1}'),
    ("-0", raw('"z": -0'), '{"z":0}'),
    ("-0.0", raw('"z": -0.0'), '{"z":-0.0}'),
    ("1e400", raw('"z": 1e400'), '{"z":"1e400"}'),
    ("1e-400", raw('"z": 1e-400'), '{"z":"1e-400"}'),
    ("huge exponent", raw('"z": 1e99999999999999999999'), '{"z":"1e99999999999999999999"}'),
    ("exact power of ten", raw('"z": 1e22'), '{"z":1e22}'),
    (
        "more digits than float64",
        raw('"z": 0.12345678901234567890'),
        '{"z":"0.12345678901234567890"}',
    ),
    ("16 digits past float64", raw('"z": 900719925474099.3'), '{"z":"900719925474099.3"}'),
    ("int64 at most", raw(f'"z": {2**63 - 1}'), f'{{"z":{2**63 - 1}}}'),
    ("int64 at least", raw(f'"z": {-(2**63)}'), f'{{"z":{-(2**63)}}}'),
    ("int64", raw(f'"z": {-(2**62) - 1}'), f'{{"z":{-(2**62) - 1}}}'),
    ("next to int64", raw(f'"z": {2**63}'), f'{{"z":"{2**63}"}}'),
    ("next to int64, below", raw(f'"z": {-(2**63) - 1}'), f'{{"z":"{-(2**63) - 1}"}}'),
    ("past int64", raw(f'"z": {2**64 - 1}'), f'{{"z":"{2**64 - 1}"}}'),
    ("power of two past int64", raw(f'"z": {2**70}'), f'{{"z":"{2**70}"}}'),
    (
        "30 digits",
        raw('"z": 123456789012345678901234567890'),
        '{"z":"123456789012345678901234567890"}',
    ),
    ("5,000 digits", raw(f'"z": [{MANY_DIGITS}]'), f'{{"z":["{MANY_DIGITS}"]}}'),
    (
        "numbers beside 5,000 digits",
        raw(f'"a": [{-(2**63)}, {2**70}, 0.1, -0, 1e400], "z": {MANY_DIGITS}'),
        f'{{"a":[{-(2**63)},"{2**70}",0.1,0,"1e400"],"z":"{MANY_DIGITS}"}}',
    ),
    ("depth 100", raw(f'"z": {nested(99)}'), f'{{"z":{nested(99)}}}'),
]

NUMBERS = [
    *[
        str(sign * 2**bits + more)
        for sign in (1, -1)
        for bits in range(52, 72)
        for more in (-1, 0, 1)
    ],
    *[str(10**digits) for digits in range(15, 23)],
    *["0.1", "-0", "-0.0", "1e22", "1E5", "5e-324", "1.7976931348623157e308", "1e400", "1e-400"],
    *["0.12345678901234567890", "123456789012345678901234567890", "0.30000000000000004"],
]

REFUSED = [
    ("empty", b"", NOT_JSON, None),
    ("only spaces", b" \n", NOT_JSON, None),
    ("cut off", payload()[:-1], NOT_JSON, None),
    ("more after the end", payload() + b"{}", NOT_JSON, None),
    ("byte order mark", b"\xef\xbb\xbf" + payload(), NOT_JSON, None),
    ("UTF-16", payload().decode().encode("utf-16"), NOT_JSON, None),
    ("Latin-1 in a known field", raw(b'"answer": "caf\xe9"'), NOT_JSON, None),
    ("Latin-1 in an unknown field", raw(b'"z": "caf\xe9"'), NOT_JSON, None),
    ("Latin-1 in a key", raw(b'"caf\xe9": 1'), NOT_JSON, None),
    (
        "Latin-1 beside 5,000 digits",
        raw(b'"z": "\xe9", "n": ' + MANY_DIGITS.encode()),
        NOT_JSON,
        None,
    ),
    ("encoded surrogate", raw(b'"answer": "\xed\xa0\x80"'), NOT_JSON, None),
    ("lone surrogate", raw(r'"answer": "\ud800"'), NOT_JSON, None),
    ("lone surrogate, unknown field", raw(r'"z": "\ude00 "'), NOT_JSON, None),
    (
        "lone surrogate beside 5,000 digits",
        raw(rf'"z": "\ud800 ", "n": {MANY_DIGITS}'),
        NOT_JSON,
        None,
    ),
    ("control character", raw('"answer": "a\x01b"'), NOT_JSON, None),
    ("single quotes", b"{'event_id': 'e1'}", NOT_JSON, None),
    ("NaN", raw('"attempt_no": NaN'), NOT_JSON, None),
    ("NaN, unknown field", raw('"z": NaN'), NOT_JSON, None),
    ("Infinity", raw('"z": [-Infinity]'), NOT_JSON, None),
    ("NaN beside 5,000 digits", raw(f'"n": {MANY_DIGITS}, "z": NaN'), NOT_JSON, None),
    ("array", b"[" + payload() + b"]", SCHEMA, None),
    ("null", b"null", SCHEMA, None),
    ("string", b'"event"', SCHEMA, None),
    ("number of 5,000 digits", MANY_DIGITS.encode(), SCHEMA, None),
    ("empty object", b"{}", SCHEMA, "event_id"),
    ("one byte too many", sized(MAX_PAYLOAD_BYTES + 1), TOO_LARGE, None),
    ("too large and no JSON", b"[" * (MAX_PAYLOAD_BYTES + 1), TOO_LARGE, None),
    ("depth 101", raw(f'"z": {nested(100)}'), SCHEMA, "z"),
    ("depth 101, long name", raw(f'"{"n" * 129}": {nested(100)}'), SCHEMA, "n" * 128),
    (
        "depth 101 in error_payload",
        raw(f'"error_payload": {{"a": {nested(99)}}}'),
        SCHEMA,
        "error_payload",
    ),
    ("depth 101 in another field", raw(f'"answer": {nested(100)}'), SCHEMA, "answer"),
    ("depth beyond the stack", b"[" * 200_000, SCHEMA, None),
    ("depth beyond the stack, closed", raw(f'"z": {nested(100_000)}'), SCHEMA, None),
    ("depth beside 5,000 digits", raw(f'"z": {nested(90_000)}, "n": {MANY_DIGITS}'), SCHEMA, None),
    ("1.0 is no integer", raw('"attempt_no": 1.0'), SCHEMA, "attempt_no"),
    ("nor is 1e0", raw('"session_duration_seconds": 1e0'), SCHEMA, "session_duration_seconds"),
    ("1.0 is no flag", raw('"is_correct_answer": 1.0'), SCHEMA, "is_correct_answer"),
    ("30 digits", raw('"attempt_no": 123456789012345678901234567890'), SCHEMA, "attempt_no"),
    ("5,000 digits", raw(f'"attempt_no": {MANY_DIGITS}'), SCHEMA, "attempt_no"),
    ("a key twice, last invalid", raw('"answer": "b", "answer": 1'), SCHEMA, "answer"),
    ("two faults: contract order", raw('"attempt_no": 0, "answer": 1'), SCHEMA, "answer"),
    *[
        (f"no instant {text!r}", payload(client_ts=text), SCHEMA, "client_ts")
        for text in NO_INSTANTS
    ],
    *[
        (f"no instant {text!r}", raw(f'"client_ts": "{text}"'), SCHEMA, "client_ts")
        for text in ESCAPED_NO_INSTANTS
    ],
    *[(f"no {field}", without(field), SCHEMA, field) for field in REQUIRED],
]
