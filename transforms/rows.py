"""Accepted events to rows of the fact table, as BigQuery's JSON takes them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect as types

from schemas.families import EventFamily
from schemas.lateness import Judgement
from schemas.message import Accepted
from schemas.shapes import Shape, shapes_of

_JSON = msgspec.json.Encoder(order="sorted")
_ENVELOPE = (
    "extra",
    "event_date",
    "publish_ts",
    "ingest_ts",
    "message_id",
    "pipeline_version",
)


def timestamp(value: dt.datetime) -> str:
    """A TIMESTAMP: ISO 8601 in UTC, microseconds kept."""
    return value.astimezone(dt.UTC).isoformat()


def json_text(value: Any) -> str:
    """A JSON column: the document as text, keys sorted."""
    return _JSON.encode(value).decode()


def _plain(value: Any) -> Any:
    return value


def columns(family: EventFamily) -> frozenset[str]:
    """The columns that the rows of a family fill."""
    contract = {family.renamed.get(name, name) for name in family.event.__struct_fields__}
    judgement = Judgement.__struct_fields__ if family.judged_types else ()
    return frozenset({*contract, *_ENVELOPE, *judgement})


class RowBuilder:
    """Builds the rows of one family. Make it once per worker."""

    def __init__(self, family: EventFamily, pipeline_version: str) -> None:
        self._judged = bool(family.judged_types)
        self._version = pipeline_version
        self._columns = [
            (name, family.renamed.get(name, name), _converter(shape))
            for name, shape in shapes_of(family.event).items()
        ]

    def row(
        self, accepted: Accepted, judgement: Judgement, ingest_ts: dt.datetime
    ) -> dict[str, Any]:
        """One row; its keys are columns of the family's table.

        Args:
            accepted: the event.
            judgement: its lateness; left out where the family judges none.
            ingest_ts: when the pipeline made the row, UTC.
        """
        event = accepted.event
        row: dict[str, Any] = {}
        for name, column, convert in self._columns:
            value = getattr(event, name)
            row[column] = None if value is None else convert(value)
        row["extra"] = accepted.extra
        row["event_date"] = event.client_ts.astimezone(dt.UTC).date().isoformat()
        row["publish_ts"] = timestamp(accepted.publish_time)
        row["ingest_ts"] = timestamp(ingest_ts)
        row["message_id"] = accepted.message_id
        row["pipeline_version"] = self._version
        if self._judged:
            row["late_status"] = judgement.late_status.value
            row["is_late_submission"] = judgement.is_late_submission
            row["late_by_seconds"] = judgement.late_by_seconds
            row["deadline_ts"] = judgement.deadline_ts and timestamp(judgement.deadline_ts)
            row["deadline_source"] = judgement.deadline_source and judgement.deadline_source.value
        return row


def _converter(shape: Shape) -> Callable[[Any], Any]:
    """How the values of a contract field become those of its column."""
    if types.DateTimeType in shape.kinds:
        return timestamp
    if types.DictType in shape.kinds:
        return json_text
    if types.BoolType in shape.kinds:
        return bool
    return str if types.EnumType in shape.kinds else _plain
