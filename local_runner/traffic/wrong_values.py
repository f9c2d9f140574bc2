"""Values that a field of a contract must not have."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec

from schemas.contract import MAX_INTEGER_DIGITS, Field, FieldKind

Change: TypeAlias = Callable[[Any], Any]
"""Makes a wrong value of a right one."""

_INT64_LIMITS = -(2**63), 2**63 - 1


def wrong_values(field: Field) -> Iterator[Change]:
    """Every way in which one value is wrong; of an array, one element."""
    if field.repeated or not field.nullable:
        yield _always(None)
    if field.symbols:
        yield from map(_always, (f"not_{field.symbols[0]}", "", 7))
        return
    yield from _wrong_types(field.kind)
    match field.kind:
        case FieldKind.STRING:
            yield from _wrong_texts(field)
        case FieldKind.INT64:
            yield from _beyond(field, *_INT64_LIMITS)
        case FieldKind.FLOAT64:
            yield from _beyond(field)
        case FieldKind.NUMERIC:
            yield from _beyond(field)
            yield from map(_always, ("NaN", "Infinity", "-Infinity", "fifty", "3,50", ""))
            yield _always("1" + "0" * MAX_INTEGER_DIGITS)
            yield _literal("1" + "0" * MAX_INTEGER_DIGITS)
        case FieldKind.TIMESTAMP:
            yield lambda right: right[:19]  # without its offset
            yield lambda right: f"{right[:19]}+0100"
            yield from map(_always, ("2026-02-30T00:00:00Z", "yesterday", ""))
        case FieldKind.DATE:
            yield from map(_always, ("2026-02-30", "02.03.2026", ""))


def wrong_arrays(field: Field) -> Iterator[Change]:
    """Every way in which an array as a whole is wrong."""
    if not field.nullable:
        yield _always(None)
    yield from map(_always, ("text", 7, {}))
    if field.min_length:
        fewer = field.min_length - 1
        yield lambda right: right[:fewer]
    if field.max_length is not None:
        more = field.max_length + 1
        yield lambda right: (right * more)[:more]


def _wrong_types(kind: FieldKind) -> Iterator[Change]:
    wrong: tuple[Any, ...] = ()
    match kind:
        case FieldKind.STRING:
            wrong = (7, True, [], {})
        case FieldKind.BOOL:
            wrong = ("true", 2, [], {})
        case FieldKind.INT64:
            wrong = ("1", 1.5, True, [], {})
        case FieldKind.FLOAT64:
            wrong = ("1.5", True, [], {})
        case FieldKind.NUMERIC:
            wrong = (True, [], {})
        case FieldKind.TIMESTAMP | FieldKind.DATE:
            wrong = (1_772_452_798, True, [], {})
        case FieldKind.JSON | FieldKind.STRUCT:
            wrong = ("text", 7, True, [])
    yield from map(_always, wrong)


def _wrong_texts(field: Field) -> Iterator[Change]:
    if field.pattern is not None:
        pattern = field.pattern
        yield from map(
            _always, [text for text in ("~ no match ~", "") if not re.fullmatch(pattern, text)][:1]
        )
    if field.repeated:  # its lengths are those of the array
        return
    if field.min_length:
        yield _always("x" * (field.min_length - 1))
    if field.max_length is not None:
        yield _always("x" * (field.max_length + 1))


def _beyond(field: Field, low: int | None = None, high: int | None = None) -> Iterator[Change]:
    least = low if field.minimum is None else field.minimum
    most = high if field.maximum is None else field.maximum
    if least is not None:
        yield _literal(str(least - 1))
    if most is not None:
        yield _literal(str(most + 1))


def _always(value: Any) -> Change:
    return lambda _: value


def _literal(number: str) -> Change:
    """A JSON number of any size."""
    raw = msgspec.Raw(number.encode())
    return lambda _: raw
