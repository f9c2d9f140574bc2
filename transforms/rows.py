"""Converts valid events to rows of the fact table."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec import inspect as types

from schemas.family import EventFamily
from schemas.field_types import FieldType, field_types_of
from schemas.lateness import LatenessResult
from schemas.message import Message, ValidEvent

# The values of one row in the order of its maker's columns: str, bool, int, float, bytes,
# datetime (aware), date, or None; a JSON column as text.
Row: TypeAlias = tuple[Any, ...]
Element = TypeVar("Element", contravariant=True)

_JSON = msgspec.json.Encoder(order="sorted")
_ENVELOPE = (
    "extra",
    "event_date",
    "publish_ts",
    "ingest_ts",
    "message_id",
    "pipeline_version",
)


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
    contract = (family.renamed.get(name, name) for name in family.event.__struct_fields__)
    lateness = LatenessResult.__struct_fields__ if family.judged_types else ()
    return (*contract, *_ENVELOPE, *lateness)


class FactRows:
    """The RowMaker of a family's fact table, for (ValidEvent, LatenessResult)."""

    def __init__(self, family: EventFamily, pipeline_version: str) -> None:
        self.columns = columns(family)
        self._judged = bool(family.judged_types)
        self._version = pipeline_version
        self._converters = [
            (index, convert)
            for index, field_type in enumerate(field_types_of(family.event).values())
            if (convert := _converter(field_type)) is not None
        ]

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
            ingest_ts: when the pipeline made the row, UTC.
        """
        event, message = valid.event, valid.message
        row = list(msgspec.structs.astuple(event))
        for index, convert in self._converters:
            if row[index] is not None:
                row[index] = convert(row[index])
        row += (
            valid.extra,
            event.client_ts.astimezone(dt.UTC).date(),
            message.publish_time,
            ingest_ts,
            message.message_id,
            self._version,
        )
        if self._judged:
            row += msgspec.structs.astuple(lateness)
        return tuple(row)


def _converter(shape: FieldType) -> Callable[[Any], Any] | None:
    """The conversion from a contract field to its column; None if there is none."""
    if types.DictType in shape.kinds:
        return json_text
    if types.BoolType in shape.kinds:
        return bool
    return None
