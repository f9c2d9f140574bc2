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

from ddl import statements
from gcp.dataset import Dataset
from pipeline.sinks.insert_rows import json_row
from schemas.coders import StructCoder
from schemas.dead_letter import DeadLetter
from schemas.errors import ErrorKind
from schemas.exam_event.event import ValidExamEvent
from schemas.exam_event.family import EXAM_EVENT
from schemas.lateness import LatenessResult
from schemas.message import Message
from tests.transforms.builders import BOUNDS
from transforms.dead_letters import DeadLetterRow, to_pubsub, to_row
from transforms.lateness.rule import NOT_APPLICABLE, judge
from transforms.row_checker import RowChecker
from transforms.rows import FactRows
from transforms.steps import RunInfo, _ValidateFn

FACT = "fact"
# How many inputs came out as what, over the whole session; reported at its end.
OUTCOMES: collections.Counter[str] = collections.Counter()

_VERSION = "1.2.3"
_VALIDATE = _ValidateFn(RunInfo(EXAM_EVENT, _VERSION), "ValidateEvents", BOUNDS)
_VALIDATE.setup()
_ROWS = FactRows(EXAM_EVENT, _VERSION)
_CODERS = {struct: StructCoder(struct) for struct in (ValidExamEvent, DeadLetter, LatenessResult)}
_NOW = dt.datetime.now(dt.UTC)
_INT64 = range(-(2**63), 2**63)


_DATASET = Dataset("local-exams", "fuzz")
_JSON_COLUMNS = {"attributes", "error_payload", "extra"}
_FACTS = RowChecker(statements.table(_DATASET, "events_fact"), _ROWS.columns)
_LETTERS = RowChecker(statements.table(_DATASET, "dead_letters"), DeadLetterRow._fields)


def take(message: Message) -> ValidExamEvent | DeadLetter:
    """Sends a message through; asserts that nothing after it could stumble over what comes out."""
    (out,) = _VALIDATE.process(message)
    if isinstance(out, TaggedOutput):
        letter = out.value
        OUTCOMES[letter.rejection.kind] += 1
        _check_letter(message, letter)
        return letter
    OUTCOMES[FACT] += 1
    _check_fact(out)
    return out


def _check_fact(accepted: ValidExamEvent) -> None:
    _check_travels(accepted)
    judged = accepted.event.event_type in EXAM_EVENT.judged_types
    lateness = judge(accepted.event) if judged else NOT_APPLICABLE
    _check_travels(lateness)
    _check_row(_FACTS, _ROWS.columns, _ROWS.build(accepted, lateness, _NOW))


def _check_letter(message: Message, letter: DeadLetter) -> None:
    assert letter.rejection.kind is not ErrorKind.INTERNAL_ERROR
    assert letter.message == message
    _check_travels(letter)
    _check_row(_LETTERS, DeadLetterRow._fields, to_row(letter))
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


def _check_row(table: RowChecker, columns: Sequence[str], row: Sequence[Any]) -> None:
    """The sink's own check lets the row pass, and its JSON is exact."""
    assert table.check([tuple(row)], _NOW).rejected == []
    sent = json_row(columns, row)
    json.dumps(sent, allow_nan=False, ensure_ascii=False).encode()
    for column in _JSON_COLUMNS & sent.keys():
        if sent[column] is not None:
            assert _is_exact(json.loads(sent[column])), column


def _is_exact(value: Any) -> bool:
    """Whether BigQuery stores a document without loss: numbers fit int64 or float64."""
    if isinstance(value, dict):
        return all(_is_exact(member) for member in value.values())
    if isinstance(value, list):
        return all(_is_exact(member) for member in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is not int or value in _INT64
