"""The structs that a contract's events are decoded to, with the contract's limits.

A struct is found again by its name in this module, so that pickles name it and do not contain it.
"""

import datetime as dt
import decimal
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from schemas.contract import MAX_INTEGER_DIGITS, Contract, Field, FieldKind
from schemas.message import ValidEvent

_SEPARATOR = ":"
_made: dict[str, type[msgspec.Struct]] = {}

_PLAIN: dict[FieldKind, Any] = {
    FieldKind.STRING: str,
    FieldKind.BOOL: bool,
    FieldKind.INT64: int,
    FieldKind.FLOAT64: float,
    FieldKind.NUMERIC: decimal.Decimal,
    FieldKind.TIMESTAMP: dt.datetime,
    FieldKind.DATE: dt.date,
    FieldKind.JSON: dict[str, Any],
}
_INT64 = decimal.Decimal(-(2**63)), decimal.Decimal(2**63 - 1)


def event_struct(contract: Contract, family: str) -> type[msgspec.Struct]:
    """The struct of a contract's events; it forbids unknown fields at every level."""
    return _struct(contract.fields, f"{family}{_SEPARATOR}event")


def valid_event(event: type[msgspec.Struct], family: str) -> type[ValidEvent]:
    """ValidEvent with ``event`` narrowed to a struct."""
    name = f"{family}{_SEPARATOR}valid"
    made: Any = msgspec.defstruct(
        name, [("event", event)], bases=(ValidEvent,), module=__name__, frozen=True, kw_only=True
    )
    _made[name] = made
    return made  # type: ignore[no-any-return]


def __getattr__(name: str) -> Any:
    """A struct by its name, made where this process has not made it yet (for pickles)."""
    family, separator, _ = name.partition(_SEPARATOR)
    if not separator:
        raise AttributeError(name)
    if name not in _made:
        from schemas.families import FAMILIES  # which imports this module

        _ = FAMILIES[family].valid_event
    return _made[name]


def _struct(fields: Sequence[Field], name: str) -> type[msgspec.Struct]:
    members: list[Any] = []
    for field in fields:
        annotation = _annotated(field, f"{name}{_SEPARATOR}{field.name}")
        if field.nullable:
            members.append((field.name, annotation | None, None))
        else:
            members.append((field.name, annotation))
    _made[name] = msgspec.defstruct(
        name, members, module=__name__, frozen=True, forbid_unknown_fields=True, gc=False
    )
    return _made[name]


def _annotated(field: Field, name: str) -> Any:
    one: Any = _struct(field.fields, name) if field.fields else leaf(field)
    if field.repeated:
        one = list[one]
    return Annotated[
        one, Meta(**_lengths(field) if field.repeated else {}, description=description(field))
    ]


def leaf(field: Field) -> Any:
    """The type of one value of a field that is no record, null and array aside."""
    text = element_description(field)
    if field.symbols:
        return Annotated[Literal[field.symbols], Meta(description=text)]
    limits: dict[str, Any] = {}
    if field.kind is FieldKind.STRING:
        limits = {} if field.repeated else _lengths(field)
        if field.pattern is not None:
            limits["pattern"] = rf"\A(?:{field.pattern})\Z"
    elif field.kind is FieldKind.INT64:
        low, high = _bounds(field)
        limits = {"ge": int(low), "le": int(high)}
    elif field.kind is FieldKind.FLOAT64:
        bounds = {"ge": field.minimum, "le": field.maximum}
        limits = {name: float(bound) for name, bound in bounds.items() if bound is not None}
    elif field.kind is FieldKind.TIMESTAMP:
        limits = {"tz": True}
    return Annotated[_PLAIN[field.kind], Meta(**limits, description=text)]


def description(field: Field) -> str:
    """What a value must be, such as "a string of 1 to 128 characters"."""
    if field.repeated:
        return f"an array{_span(field.min_length, field.max_length, 'elements')}"
    return element_description(field)


def element_description(field: Field) -> str:
    """The same for one element of an array; of another field, for its value."""
    if field.symbols:
        return f"one of {', '.join(field.symbols)}"
    low, high = field.minimum, field.maximum
    match field.kind:
        case FieldKind.STRING:
            matching = f" that matches {field.pattern}" if field.pattern else ""
            if field.repeated:
                return f"a string{matching}"
            return f"a string{_span(field.min_length, field.max_length, 'characters')}{matching}"
        case FieldKind.INT64:
            return f"an integer{_between(*_bounds(field))}"
        case FieldKind.FLOAT64:
            return f"a number{_between(low, high)}"
        case FieldKind.NUMERIC:
            between = _between(low, high)
            return f"a decimal number{between} with at most {MAX_INTEGER_DIGITS} integer digits"
        case FieldKind.BOOL:
            return "true or false"
        case FieldKind.TIMESTAMP:
            return "an RFC 3339 timestamp with an offset or Z"
        case FieldKind.DATE:
            return "a date, YYYY-MM-DD"
        case _:
            return "a JSON object"


def _bounds(field: Field) -> tuple[decimal.Decimal, decimal.Decimal]:
    low, high = _INT64
    return (
        low if field.minimum is None else field.minimum,
        high if field.maximum is None else field.maximum,
    )


def _lengths(field: Field) -> dict[str, Any]:
    lengths = {"min_length": field.min_length, "max_length": field.max_length}
    return {name: length for name, length in lengths.items() if length is not None}


def _span(low: int | None, high: int | None, things: str) -> str:
    if high is None:
        return f" of at least {low:,} {things}" if low else ""
    return f" of {low:,} to {high:,} {things}" if low else f" of at most {high:,} {things}"


def _between(low: decimal.Decimal | None, high: decimal.Decimal | None) -> str:
    if (low, high) == _INT64:
        return " of 64 bits"
    if low is None:
        return "" if high is None else f" of at most {high:,}"
    return f" from {low:,}" + ("" if high is None or high == _INT64[1] else f" to {high:,}")
