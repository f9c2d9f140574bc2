"""Fixes that can be applied to a message before a replay: named, pure functions of its bytes.

A fix changes only the fields that it is about; everything else keeps its bytes. A message that it
cannot fix is returned unchanged.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from msgspec import inspect as types

from schemas.family import EventFamily
from schemas.field_types import FieldType, field_types_of

Fix: TypeAlias = Callable[[EventFamily, bytes], bytes]

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NAIVE_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
)
_INTEGER = re.compile("0|[1-9][0-9]{0,18}")
_FLAGS = {"true": b"true", "false": b"false", "1": b"1", "0": b"0"}


def fields_of(payload: bytes) -> dict[str, msgspec.Raw] | None:
    """The members of a JSON object, each value as its bytes; None if it is not an object."""
    try:
        payload.decode()  # the decoder does not check strings that it leaves as bytes
        return _FIELDS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def assume_utc(family: EventFamily, payload: bytes) -> bytes:
    """Adds a Z to timestamps without an offset: for an app whose clock is known to be in UTC."""

    def fixed(shape: FieldType, text: str) -> bytes | None:
        if types.DateTimeType in shape.kinds and _NAIVE_TIMESTAMP.fullmatch(text):
            return msgspec.json.encode(f"{text}Z")
        return None

    return _with_mended_strings(family, payload, fixed)


def parse_strings(family: EventFamily, payload: bytes) -> bytes:
    """Turns integers and booleans that were sent as strings into integers and booleans."""

    def fixed(shape: FieldType, text: str) -> bytes | None:
        if types.BoolType in shape.kinds:
            return _FLAGS.get(text.lower())
        if types.IntType in shape.kinds and _INTEGER.fullmatch(text):
            return text.encode()
        return None

    return _with_mended_strings(family, payload, fixed)


def strip_byte_order_mark(family: EventFamily, payload: bytes) -> bytes:
    """Removes a byte order mark at the start of the body."""
    return payload.removeprefix(_BYTE_ORDER_MARK)


FIXES: Mapping[str, Fix] = {
    fix.__name__: fix for fix in (assume_utc, parse_strings, strip_byte_order_mark)
}


def _with_mended_strings(
    family: EventFamily, payload: bytes, fixed: Callable[[FieldType, str], bytes | None]
) -> bytes:
    """The payload with string values of contract fields replaced where ``fixed`` has a value."""
    fields = fields_of(payload)
    if fields is None:
        return payload
    changed = False
    for name, shape in field_types_of(family.event).items():
        value = fields.get(name)
        if value is None or not bytes(value).startswith(b'"'):
            continue
        replacement = fixed(shape, msgspec.json.decode(value, type=str))
        if replacement is not None:
            fields[name] = msgspec.Raw(replacement)
            changed = True
    return msgspec.json.encode(fields) if changed else payload
