"""The fast path of decoding: one typed pass over the bytes, expected unknown fields included.

Most messages have the fields of the contract, and those that their app's version always adds. A
struct with both decodes them in one pass, and its types prove what would otherwise be checked value
by value: that integers fit int64, that nothing is nested deeply. What it does not accept is not
rejected but left to the slow path.
"""

import datetime as dt
import functools
import re
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET
from msgspec import inspect as types

from schemas.field_types import field_types_of

# More names than any app adds; a sender of random names must not slow down every message.
MAX_UNKNOWN_FIELDS = 32
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

# msgspec rounds digits past the microsecond; the contract truncates them. JSON may also write the
# point and the digits as escapes: \u002e, \u0030 to \u0039.
_SUBMICROSECOND = re.compile(rb"\.[0-9]{7}")
_ESCAPED = re.compile(rb"\\u00[23]")
_BACKSLASH = ord("\\")

# msgspec accepts an offset without its colon, +0100; RFC 3339 does not.
_ZERO_OFFSET = re.compile(rb'[+-]0000"')
_ZEROS = b'0000"'
_UTC = dt.UTC

# Values that are kept unchanged. Fractions are not among them: whether float64 holds one exactly
# shows only in the digits that were written.
_Scalar = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | str | bool | None
_Shallow = _Scalar | list[_Scalar] | dict[str, _Scalar]
_Value = _Scalar | list[_Shallow] | dict[str, _Shallow]

_EXTRA = msgspec.json.Encoder(order="deterministic")


class FastDecoder:
    """Decodes one event type, expecting unknown fields of certain names. Immutable."""

    def __init__(self, event: type[msgspec.Struct], expected: Iterable[str] = ()) -> None:
        """Takes the event's struct and the names of the unknown fields to expect."""
        self._event = event
        self._expected = sorted(expected)
        names = {f"unknown_{place}": name for place, name in enumerate(self._expected)}
        fields = [(place, _Value | msgspec.UnsetType, UNSET) for place in names]
        options: dict[str, Any] = {"rename": names, "frozen": True}
        wide = msgspec.defstruct(
            "Wide", fields, bases=(event,), forbid_unknown_fields=True, **options
        )
        self._extra = msgspec.defstruct("Extra", fields, **options)
        self._no_extra = self._extra()
        self._decoder = msgspec.json.Decoder(wide if names else event)
        self._known = len(event.__struct_fields__)
        shapes = field_types_of(event)
        self._objects = [n for n, s in shapes.items() if types.DictType in s.kinds]
        self._timestamps = [n for n, s in shapes.items() if types.DateTimeType in s.kinds]

    def decode(self, payload: bytes) -> tuple[Any, str | None] | None:
        """The event and its unknown fields as sorted JSON, or None if the slow path is needed.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: the payload is no JSON.
        """
        if _SUBMICROSECOND.search(payload) is not None:
            return None
        if _BACKSLASH in payload and _ESCAPED.search(payload) is not None:
            return None
        try:
            wide = self._decoder.decode(payload)
        except msgspec.ValidationError:
            return None
        for name in self._objects:
            if getattr(wide, name) is not None:
                return None
        if payload.rfind(_ZEROS) >= 0 and _ZERO_OFFSET.search(payload) is not None:
            return None
        for name in self._timestamps:
            moment = getattr(wide, name)
            if moment is None or moment.tzinfo is _UTC:
                continue
            if payload.rfind(_without_colon(moment.tzinfo)) >= 0:
                return None
        if not self._expected:
            return wide, None
        values = msgspec.structs.astuple(wide)
        event = self._event(*values[: self._known])
        extra = self._extra(*values[self._known :])
        return event, None if extra == self._no_extra else _EXTRA.encode(extra).decode()

    def expecting(self, names: Iterable[str]) -> "FastDecoder":
        """A decoder that expects these unknown fields too, up to the limit."""
        new = {name for name in names if _NAME.fullmatch(name)}.difference(self._expected)
        room = MAX_UNKNOWN_FIELDS - len(self._expected)
        if not new or len(new) > room:
            return self
        return FastDecoder(self._event, [*self._expected, *new])


@functools.lru_cache
def _without_colon(zone: dt.tzinfo) -> bytes:
    """The offset of a time zone as bytes, without its colon."""
    return f'{dt.datetime(2000, 1, 1, tzinfo=zone):%z}"'.encode()
