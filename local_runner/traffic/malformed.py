"""Malformed messages: one function for each kind, by error kind.

Each takes a valid event, a JSON object, and returns the body of a broken message.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local_runner.traffic.events import Event, encode
from schemas.errors import ErrorKind

_LIMIT = 256 * 1024


def _cut_off(event: Event) -> bytes:
    return encode(event)[:-20]


def _empty(_: Event) -> bytes:
    return b""


def _not_a_number(event: Event) -> bytes:
    return encode(event)[:-1] + b',"attempt_no":NaN}'


def _byte_order_mark(event: Event) -> bytes:
    return b"\xef\xbb\xbf" + encode(event)


def _not_utf8(event: Event) -> bytes:
    return encode(event | {"answer": "~"}).replace(b"~", "é".encode("latin-1"))


def _too_large(event: Event) -> bytes:
    return encode(event | {"debug_trace": "." * _LIMIT})


def _array(event: Event) -> bytes:
    return b"[" + encode(event) + b"]"


def _without(field: str) -> Callable[[Event], bytes]:
    return lambda event: encode({name: value for name, value in event.items() if name != field})


def _with(**fields: Any) -> Callable[[Event], bytes]:
    return lambda event: encode(event | fields)


def _too_deep(event: Event) -> bytes:
    return encode(event)[:-1] + b',"path":' + b"[" * 100 + b"]" * 100 + b"}"


def _naive_time(event: Event) -> bytes:
    return encode(event | {"client_ts": event["client_ts"][:19]})


def _answer_without_question(event: Event) -> bytes:
    return encode(event | {"event_type": "answer_submit", "question_id": None})


def _expires_at_start(event: Event) -> bytes:
    moment = event["client_ts"]
    return encode(event | {"session_start_ts": moment, "session_expiry_ts": moment})


_unknown_type = _with(event_type="answer_peek")

MALFORMED: Mapping[ErrorKind, tuple[Callable[[Event], bytes], ...]] = {
    ErrorKind.NOT_JSON: (_cut_off, _empty, _not_a_number, _byte_order_mark, _not_utf8),
    ErrorKind.TOO_LARGE: (_too_large,),
    ErrorKind.SCHEMA_VIOLATION: (
        _array,
        _without("session_id"),
        _unknown_type,
        _with(student_id=""),
        _naive_time,
        _with(attempt_no="first"),
        _with(is_correct_answer="true"),
        _with(answer="x" * 8_193),
        _with(session_duration_seconds=0),
        _with(error_payload=["timeout"]),
        _too_deep,
    ),
    ErrorKind.RULE_VIOLATION: (
        _with(client_ts="1970-01-01T00:00:05Z"),  # a device whose clock was reset
        _with(client_ts="2098-01-01T00:00:00Z"),
        _answer_without_question,
        _expires_at_start,
    ),
}
"""The functions by the error kind that they cause (DESIGN 2)."""

HIDE_FAMILY = frozenset({_cut_off, _empty, _not_a_number, _byte_order_mark, _array, _unknown_type})
"""Those whose result does not show its family: see events.Broken."""
