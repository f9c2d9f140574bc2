"""Fixes that can be applied to a message before a replay: named, pure functions of its bytes.

A fix changes only the fields that it is about; everything else keeps its bytes. A message that it
cannot fix is returned unchanged.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from schemas.contract import Field, FieldKind
from schemas.family import EventFamily

# Takes the family that the message was read as, None where it is of none, and the body.
Fix: TypeAlias = Callable[[EventFamily | None, bytes], bytes]

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


def assume_utc(family: EventFamily | None, payload: bytes) -> bytes:
    """Adds a Z to timestamps without an offset: for an app whose clock is known to be in UTC."""

    def fixed(field: Field, text: str) -> bytes | None:
        if field.kind is FieldKind.TIMESTAMP and _NAIVE_TIMESTAMP.fullmatch(text):
            return msgspec.json.encode(f"{text}Z")
        return None

    return _with_mended_strings(family, payload, fixed)


def parse_strings(family: EventFamily | None, payload: bytes) -> bytes:
    """Turns integers and booleans that were sent as strings into integers and booleans."""

    def fixed(field: Field, text: str) -> bytes | None:
        if field.kind is FieldKind.BOOL:
            return _FLAGS.get(text.lower())
        if field.kind is FieldKind.INT64 and _INTEGER.fullmatch(text):
            return text.encode()
        return None

    return _with_mended_strings(family, payload, fixed)


def strip_byte_order_mark(family: EventFamily | None, payload: bytes) -> bytes:
    """Removes a byte order mark at the start of the body."""
    return payload.removeprefix(_BYTE_ORDER_MARK)


FIXES: Mapping[str, Fix] = {
    fix.__name__: fix for fix in (assume_utc, parse_strings, strip_byte_order_mark)
}


def _with_mended_strings(
    family: EventFamily | None, payload: bytes, fixed: Callable[[Field, str], bytes | None]
) -> bytes:
    """The payload with string values of contract fields replaced where ``fixed`` has a value."""
    if family is None or not fields_of(payload):
        return payload
    return _mended_record(family.contract.fields, payload, fixed) or payload


def _mended_record(
    fields: Sequence[Field], record: bytes, fixed: Callable[[Field, str], bytes | None]
) -> bytes | None:
    """A JSON object with its values mended; None where none is."""
    values = _FIELDS.decode(record)
    mended = {
        field.name: msgspec.Raw(value)
        for field in fields
        if field.name in values and (value := _mended(field, bytes(values[field.name]), fixed))
    }
    return msgspec.json.encode(values | mended) if mended else None


def _mended(
    field: Field, value: bytes, fixed: Callable[[Field, str], bytes | None]
) -> bytes | None:
    """A value as it should be sent, elements and members included; None where it stays."""
    if field.repeated and value.startswith(b"["):
        elements = msgspec.json.decode(value, type=list[msgspec.Raw])
        one = dataclasses.replace(field, repeated=False)
        mended = [_mended(one, bytes(element), fixed) for element in elements]
        if not any(mended):
            return None
        pairs = zip(mended, elements, strict=True)
        return msgspec.json.encode([msgspec.Raw(new) if new else old for new, old in pairs])
    if field.fields and value.startswith(b"{"):
        return _mended_record(field.fields, value, fixed)
    if value.startswith(b'"'):
        return fixed(field, msgspec.json.decode(value, type=str))
    return None
