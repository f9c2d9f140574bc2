"""The way of one message through our code, without Beam's runners and without any service.

Whatever goes in must come out as one row of events_fact or as one dead letter that both the topic
and the table take: never as an exception, and never as an error of our own.
"""

import collections
import datetime as dt
import json
import math
from collections.abc import Sequence
from typing import Any

from apache_beam.pvalue import TaggedOutput
from google.cloud.bigquery import SchemaField

from ddl import statements
from pipeline.insert_rows import json_row
from schemas.coders import StructCoder
from schemas.errors import ErrorKind
from schemas.exam_event import AcceptedExamEvent
from schemas.families import EXAM_EVENT
from schemas.lateness import Judgement
from schemas.message import DeadLetter, Message
from schemas.warehouse import Dataset
from tests.transforms.builders import BOUNDS
from transforms.dead_letters import DeadLetterRow, to_pubsub, to_row
from transforms.lateness import NOT_APPLICABLE, judge
from transforms.rows import RowBuilder
from transforms.steps import Run, ValidateEvents

FACT = "fact"
# How many inputs came out as what, over the whole session; told at its end.
OUTCOMES: collections.Counter[str] = collections.Counter()

_VERSION = "1.2.3"
_VALIDATE = ValidateEvents(Run(EXAM_EVENT, _VERSION), BOUNDS)._fn
_VALIDATE.setup()
_ROWS = RowBuilder(EXAM_EVENT, _VERSION)
_CODERS = {struct: StructCoder(struct) for struct in (AcceptedExamEvent, DeadLetter, Judgement)}
_NOW = dt.datetime.now(dt.UTC)
_INT64 = range(-(2**63), 2**63)


def _schema(table: str) -> dict[str, SchemaField]:
    declared = statements.table(Dataset("local-exams", "fuzz"), table)
    return {field.name: field for field in declared.schema}


_FACTS, _LETTERS = _schema("events_fact"), _schema("dead_letters")


def take(message: Message) -> AcceptedExamEvent | DeadLetter:
    """Sends a message through; asserts that nothing after it could stumble over what comes out."""
    (out,) = _VALIDATE.process(message)
    if isinstance(out, TaggedOutput):
        letter = out.value
        OUTCOMES[letter.error_kind] += 1
        _check_letter(message, letter)
        return letter
    OUTCOMES[FACT] += 1
    _check_fact(out)
    return out


def _check_fact(accepted: AcceptedExamEvent) -> None:
    _check_travels(accepted)
    judged = accepted.event.event_type in EXAM_EVENT.judged_types
    judgement = judge(accepted.event) if judged else NOT_APPLICABLE
    _check_travels(judgement)
    _check_row(_ROWS.columns, _ROWS.row(accepted, judgement, _NOW), _FACTS)


def _check_letter(message: Message, letter: DeadLetter) -> None:
    assert letter.error_kind is not ErrorKind.INTERNAL_ERROR
    assert letter.message == message
    _check_travels(letter)
    _check_row(DeadLetterRow._fields, to_row(letter), _LETTERS)
    data, attributes = to_pubsub(letter)
    assert message.payload.startswith(data)
    assert len(attributes) <= 100
    assert sum(len(k.encode()) + len(v.encode()) for k, v in attributes.items()) <= 150_000
    assert len(data) + sum(len(k) + len(v) for k, v in attributes.items()) < 10_000_000
    for key, value in attributes.items():
        assert 0 < len(key.encode()) <= 256
        assert not key.startswith("goog")
        assert len(value.encode()) <= 1024


def _check_travels(element: Any) -> None:
    """Between two steps an element is bytes."""
    coder = _CODERS[type(element)]
    assert coder.decode(coder.encode(element)) == element


def _check_row(columns: Sequence[str], row: Sequence[Any], schema: dict[str, SchemaField]) -> None:
    """The table takes the row, and insertAll takes it as JSON."""
    assert set(columns) <= schema.keys()
    for column, value in zip(columns, row, strict=True):
        field = schema[column]
        assert _fits(field, value), column
    json.dumps(json_row(columns, row), allow_nan=False, ensure_ascii=False).encode()


def _fits(field: SchemaField, value: Any) -> bool:
    match field.field_type, value:
        case _, None:
            return field.mode != "REQUIRED"
        case "STRING", str():
            return len(value.encode()) < 10_000_000
        case "JSON", str():
            return _is_exact(json.loads(value))
        case "INT64", int():
            return type(value) is int and value in _INT64
        case "FLOAT64", float():
            return math.isfinite(value)
        case "BOOL", bool():
            return True
        case "BYTES", bytes():
            return len(value) <= 1024 * 1024
        case "TIMESTAMP", dt.datetime():
            return value.astimezone(dt.UTC) is not None
        case "DATE", dt.date():
            return type(value) is dt.date
    return False


def _is_exact(value: Any) -> bool:
    """Whether BigQuery stores a document without loss: numbers fit int64 or float64."""
    if isinstance(value, dict):
        return all(_is_exact(member) for member in value.values())
    if isinstance(value, list):
        return all(_is_exact(member) for member in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is not int or value in _INT64
