"""Runs all steps over messages, in this process, and gives back what came out."""

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import MetricResults
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from pipeline.sinks.write_rows import WriteRows
from schemas import coders, metrics
from schemas.dead_letter import DeadLetter
from schemas.errors import Rejection
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.family import EventFamily
from schemas.lateness import LatenessResult
from schemas.message import Message
from tests.transforms.builders import BOUNDS
from tests.transforms.lateness.settings import LATENESS, lookups
from transforms.dead_letters import DeadLetterRows
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.steps import SessionElement
from transforms.row_checker import RejectedRow
from transforms.rows import FactRows, Row
from transforms.steps import RejectedEvents, RunInfo, ValidateEvents

RUN = RunInfo(family=EXAM_EVENT, pipeline_version="1.2.3")

# Filled by the running pipeline: both runners work in this process.
_SEEN: dict[str, list[Any]] = collections.defaultdict(list)


def _keep(element: Any, name: str) -> Any:
    _SEEN[name].append(element)
    return element


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one run gave."""

    rows: list[dict[str, Any]]
    letters: list[DeadLetter]
    letter_rows: list[dict[str, Any]]
    metrics: MetricResults

    @property
    def counters(self) -> dict[str, int]:
        return metrics.counters(self.metrics)

    def distribution(self, name: str) -> Any:
        (found,) = (
            result.committed
            for result in self.metrics.query()["distributions"]
            if result.key.metric.name == name
        )
        return found


class MemoryWriter:
    """A RowWriter that keeps its rows here; it refuses those with a value of ``refuses``."""

    def __init__(self, name: str, columns: tuple[str, ...], refuses: frozenset[str]) -> None:
        self._name = name
        self._columns = columns
        self._refuses = refuses
        self._appended: list[Row] = []

    def open(self) -> None:
        pass

    def append(self, rows: Sequence[Row]) -> None:
        self._appended += rows

    def flush(self) -> list[RejectedRow]:
        refused = []
        for index, row in enumerate(self._appended):
            if self._refuses.isdisjoint(value for value in row if isinstance(value, str)):
                _keep(dict(zip(self._columns, row, strict=True)), self._name)
            else:
                refused.append(RejectedRow.of(index, "invalid: too old", "client_ts"))
        self._appended = []
        return refused

    def close(self) -> None:
        pass


def run_steps(
    messages: list[Message],
    family: EventFamily = EXAM_EVENT,
    refused: frozenset[str] = frozenset(),
    runner: Any = None,
) -> Outcome:
    """The flow between source and warehouse, every step behind a fusion break, so that each output
    has to pass through its coder. ``refused``: event_ids that the warehouse does not take.
    """
    _SEEN.clear()
    coders.register(
        [Message, DeadLetter, LatenessResult, SessionElement, Rejection, family.valid_event]
    )
    run = dataclasses.replace(RUN, family=family)
    facts, letter_rows = FactRows(family, RUN.pipeline_version), DeadLetterRows()
    pipeline = beam.Pipeline(runner=runner or FnApiRunner())
    received = pipeline | "Create" >> beam.Create(messages, reshuffle=False).with_output_types(
        Message
    )
    events, invalid = received | "ValidateEvents" >> ValidateEvents(run, BOUNDS)
    judged, failed = (
        events
        | "Break1" >> beam.Reshuffle()
        | "JudgeLateness" >> JudgeLateness(run, LATENESS, lookups())
    )
    sent_back = (
        tuple(part | f"Break2{n}" >> beam.Reshuffle() for n, part in enumerate(judged))
        | "Write" >> WriteRows(facts, MemoryWriter("rows", facts.columns, refused), metrics.WRITTEN)
        | "Break3" >> beam.Reshuffle()
    )
    rejected = sent_back | "Rejected" >> RejectedEvents(run.letters, "WriteFacts")
    letters = (invalid, failed, rejected) | beam.Flatten()
    letters = letters | "Break4" >> beam.Reshuffle()
    _ = letters | "Keep letters" >> beam.Map(_keep, "letters")
    _ = (letters,) | "WriteLetters" >> WriteRows(
        letter_rows,
        MemoryWriter("letter_rows", letter_rows.columns, frozenset()),
        metrics.DEAD_LETTERS_WRITTEN,
    )
    result = pipeline.run()
    result.wait_until_finish()
    return Outcome(_SEEN["rows"], _SEEN["letters"], _SEEN["letter_rows"], result.metrics())
