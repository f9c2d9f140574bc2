"""Converts valid events to rows of the fact table."""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

from schemas.contract import Field, FieldKind
from schemas.envelope import ENVELOPE
from schemas.family import EventFamily
from schemas.lateness import LatenessResult
from schemas.message import Message, ValidEvent
from transforms import numeric

# The values of one row in the order of its maker's columns: str, bool, int, float, Decimal, bytes,
# datetime (aware), date, or None; a JSON column as text; a record as a dict; an array as a list.
Row: TypeAlias = tuple[Any, ...]
Element = TypeVar("Element", contravariant=True)

_JSON = msgspec.json.Encoder(order="sorted")


class RowMaker(Protocol[Element]):
    """Converts elements to rows of one table; it is pickled to the workers."""

    columns: tuple[str, ...]

    def row(self, element: Element) -> Row:
        """The values of an element's row, in the order of ``columns``."""

    def message(self, element: Element) -> Message:
        """The message that the element came from."""


def timestamp(value: dt.datetime) -> str:
    """A TIMESTAMP as text: ISO 8601 in UTC, microseconds kept."""
    return value.astimezone(dt.UTC).isoformat()


def json_text(value: Any) -> str:
    """The document as text for a JSON column, keys sorted."""
    return _JSON.encode(value).decode()


def columns(family: EventFamily) -> tuple[str, ...]:
    """The columns that the rows of a family fill."""
    contract = (family.column(name) for name in family.event.__struct_fields__)
    envelope = (family.column(name) for name in ENVELOPE)
    lateness = LatenessResult.__struct_fields__ if family.judged_types else ()
    return (*contract, *envelope, *lateness)


def filled(family: EventFamily) -> tuple[str, ...]:
    """The same, with the fields of records by their dotted path."""
    nested = (path.split(".", 1) for path, _ in family.contract.walk() if "." in path)
    return (*columns(family), *(f"{family.column(record)}.{rest}" for record, rest in nested))


class FactRows:
    """The RowMaker of a family's fact table, for (ValidEvent, LatenessResult)."""

    def __init__(self, family: EventFamily, pipeline_version: str) -> None:
        self.columns = columns(family)
        self._judged = bool(family.judged_types)
        self._version = pipeline_version
        self._contract_version = family.version
        name = family.event_time
        self._event_time = None if name is None else family.event.__struct_fields__.index(name)
        self._converters = _converters(family.contract.fields)

    def row(self, element: tuple[ValidEvent, LatenessResult]) -> Row:
        """The row of one event, made now."""
        valid, lateness = element
        return self.build(valid, lateness, dt.datetime.now(dt.UTC))

    def message(self, element: tuple[ValidEvent, LatenessResult]) -> Message:
        """The message of one event."""
        return element[0].message

    def build(self, valid: ValidEvent, lateness: LatenessResult, ingest_ts: dt.datetime) -> Row:
        """One row, in the order of ``columns``.

        Args:
            valid: the event.
            lateness: left out of the row if the family has no lateness rule.
            ingest_ts: when the row is made, UTC; the writer replaces it when it sends the row.
        """
        event, message = valid.event, valid.message
        row = list(msgspec.structs.astuple(event))
        place = self._event_time
        partition_time = message.publish_time if place is None else row[place]
        _convert(row, self._converters)
        row += (
            valid.extra,
            partition_time.astimezone(dt.UTC).date(),
            message.publish_time,
            ingest_ts,
            message.message_id,
            self._version,
            self._contract_version,
        )
        if self._judged:
            row += msgspec.structs.astuple(lateness)
        return tuple(row)


class _Converter(NamedTuple):
    """How the value of a field becomes that of its column; a null becomes ``null``."""

    place: int
    convert: Callable[[Any], Any]
    null: tuple[()] | None


def _convert(values: list[Any], converters: Sequence[_Converter]) -> None:
    for place, convert, null in converters:
        value = values[place]
        if value is not None:
            values[place] = convert(value)
        elif null is not None:
            values[place] = null


def _converters(fields: Sequence[Field]) -> list[_Converter]:
    """For each field whose value is not that of its column."""
    found = []
    for place, field in enumerate(fields):
        convert = _conversion(field)
        if field.repeated:  # BigQuery has no null array
            elements = functools.partial(_array, convert) if convert else list
            found.append(_Converter(place, elements, ()))
        elif convert:
            found.append(_Converter(place, convert, None))
    return found


def _conversion(field: Field) -> Callable[[Any], Any] | None:
    match field.kind:
        case FieldKind.JSON:
            return json_text
        case FieldKind.BOOL:  # 0 and 1 stand for it too
            return bool
        case FieldKind.NUMERIC:
            return numeric.rounded
        case FieldKind.STRUCT:
            return functools.partial(_record, _converters(field.fields))
        case _:
            return None


def _array(convert: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    return [convert(value) for value in values]


def _record(converters: Sequence[_Converter], record: msgspec.Struct) -> dict[str, Any]:
    values = list(msgspec.structs.astuple(record))
    _convert(values, converters)
    return dict(zip(record.__struct_fields__, values, strict=True))
