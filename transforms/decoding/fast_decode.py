"""The fast path of decoding: one typed pass over the bytes, expected unknown fields included.

Most messages have the fields of the contract, and those that their app's version always adds. A
struct with both decodes them in one pass, and its types prove what would otherwise be checked value
by value: that integers fit int64, that nothing is nested deeply. What it does not accept is not
rejected but left to the slow path.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET

from schemas.contract import Field, FieldKind
from schemas.family import EventFamily
from transforms import numeric

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
_BASIC_OFFSET = re.compile(rb'[+-][0-9]{4}"')
_UTC = dt.UTC

# Values that are kept unchanged. Fractions are not among them: whether float64 holds one exactly
# shows only in the digits that were written.
_Scalar = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | str | bool | None
_Shallow = _Scalar | list[_Scalar] | dict[str, _Scalar]
_Value = _Scalar | list[_Shallow] | dict[str, _Shallow]

_EXTRA = msgspec.json.Encoder(order="deterministic")

# Whether a value that its type accepts is right as it stands, so that the slow path is not needed.
_Check: TypeAlias = Callable[[Any], bool]


class FastDecoder:
    """Decodes the events of one family, expecting unknown fields of certain names. Immutable."""

    def __init__(self, family: EventFamily, expected: Iterable[str] = ()) -> None:
        """Takes the family and the names of the unknown fields to expect."""
        self._family = family
        self._event = event = family.event
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
        fields_of = family.contract.fields
        self._timestamps = [
            field.name
            for field in fields_of
            if field.kind is FieldKind.TIMESTAMP and not field.repeated
        ]
        self._checks = _checks(fields_of, all_times=family.written is None)
        self._nested = any(field.fields for field in fields_of)
        self._nested_timestamps = any(
            field.kind is FieldKind.TIMESTAMP and path not in self._timestamps
            for path, field in family.contract.walk()
        )

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
        for name, check in self._checks:
            value = getattr(wide, name)
            if value is not None and not check(value):
                return None
        if self._nested_timestamps and _BASIC_OFFSET.search(payload) is not None:
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
        new = {name for name in names if self._may_expect(name)}.difference(self._expected)
        room = MAX_UNKNOWN_FIELDS - len(self._expected)
        if not new or len(new) > room:
            return self
        return FastDecoder(self._family, [*self._expected, *new])

    def _may_expect(self, name: str) -> bool:
        """Whether it is the name of a field of the event, and not the path of one in a record."""
        return _NAME.fullmatch(name) is not None and not (self._nested and "." in name)


def _checks(fields: Sequence[Field], *, all_times: bool) -> list[tuple[str, _Check]]:
    found = ((field.name, _check(field, all_times=all_times)) for field in fields)
    return [(name, check) for name, check in found if check is not None]


def _check(field: Field, *, all_times: bool) -> _Check | None:
    """What the type of a field's value leaves open; None if nothing.

    Args:
        field: the field.
        all_times: whether timestamps are checked; not where a rule of the family does.
    """
    match field.kind:
        case FieldKind.JSON:  # its numbers may not survive
            return lambda _: False
        case FieldKind.NUMERIC:
            one: _Check = functools.partial(
                numeric.fits, minimum=field.minimum, maximum=field.maximum
            )
        case FieldKind.TIMESTAMP if all_times:
            one = _surely_in_utc_years
        case FieldKind.STRUCT if checks := _checks(field.fields, all_times=all_times):
            one = functools.partial(_check_record, checks)
        case _:
            return None
    if field.repeated:
        return lambda values: all(map(one, values))
    return one


def _surely_in_utc_years(moment: dt.datetime) -> bool:
    return dt.MINYEAR < moment.year < dt.MAXYEAR


def _check_record(checks: Sequence[tuple[str, _Check]], record: msgspec.Struct) -> bool:
    for name, check in checks:
        value = getattr(record, name)
        if value is not None and not check(value):
            return False
    return True


@functools.lru_cache
def _without_colon(zone: dt.tzinfo) -> bytes:
    """The offset of a time zone as bytes, without its colon."""
    return f'{dt.datetime(2000, 1, 1, tzinfo=zone):%z}"'.encode()
