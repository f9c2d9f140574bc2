"""The way of one message through our code, without Beam's runners and without any service.

Whatever goes in must come out as one row of a fact table or as one dead letter that both the topic
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
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.family import EventFamily
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
_NOW = dt.datetime.now(dt.UTC)
_INT64 = range(-(2**63), 2**63)

_DATASET = Dataset("local-exams", "fuzz")
_JSON_COLUMNS = {"attributes", "error_payload", "extra"}
_LETTERS = RowChecker(statements.table(_DATASET, "dead_letters"), DeadLetterRow._fields)


class Path:
    """The way of the messages of one family."""

    def __init__(self, family: EventFamily) -> None:
        self._family = family
        self._validate = _ValidateFn(RunInfo(family, _VERSION), "ValidateEvents", BOUNDS)
        self._validate.setup()
        self._rows = FactRows(family, _VERSION)
        self._facts = RowChecker(statements.table(_DATASET, family.table), self._rows.columns)

    def take(self, message: Message) -> Any:
        """Sends a message through; asserts that nothing after it could stumble over the outcome."""
        (out,) = self._validate.process(message)
        if isinstance(out, TaggedOutput):
            letter: DeadLetter = out.value
            OUTCOMES[letter.rejection.kind] += 1
            check_letter(message, letter)
            return letter
        OUTCOMES[FACT] += 1
        self._check_fact(out)
        return out

    def _check_fact(self, accepted: Any) -> None:
        _check_travels(accepted)
        judged = accepted.event.event_type in self._family.judged_types
        lateness = judge(accepted.event) if judged else NOT_APPLICABLE
        _check_travels(lateness)
        row = self._rows.build(accepted, lateness, _NOW)
        _check_row(self._facts, self._rows.columns, row)


take = Path(EXAM_EVENT).take


def check_letter(message: Message, letter: DeadLetter) -> None:
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
    coder = StructCoder(type(element))
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
