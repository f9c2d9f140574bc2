"""Runs all steps over messages, in this process, and gives back what came out."""

import collections
import dataclasses
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import MetricResults
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from schemas import coders
from schemas.families import EXAM_EVENT, EventFamily
from schemas.lateness import Judgement
from schemas.message import DeadLetter, Message
from tests.lateness.settings import lateness_config
from tests.transforms.builders import BOUNDS
from transforms import metrics
from transforms.judge_lateness import JudgeLateness
from transforms.lateness_steps import SessionElement
from transforms.steps import (
    BuildDeadLetterRows,
    BuildRows,
    RejectedRows,
    Run,
    ValidateEvents,
)

RUN = Run(family=EXAM_EVENT, pipeline_version="1.2.3", source="subscription")

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


def run_steps(
    messages: list[Message],
    family: EventFamily = EXAM_EVENT,
    refused: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] | None = None,
    runner: Any = None,
) -> Outcome:
    """The flow between source and sinks, every step behind a fusion break, so that each output
    has to pass through its coder. ``refused``: what the warehouse sends back.
    """
    _SEEN.clear()
    coders.register([Message, DeadLetter, Judgement, SessionElement, family.accepted])
    run = dataclasses.replace(RUN, family=family)
    pipeline = beam.Pipeline(runner=runner or FnApiRunner())
    received = pipeline | beam.Create(messages, reshuffle=False).with_output_types(Message)
    events, invalid = received | "Validate" >> ValidateEvents(run, BOUNDS)
    judged, unjudged = (
        events | "Break1" >> beam.Reshuffle() | "Judge" >> JudgeLateness(run, lateness_config())
    )
    rows, unbuilt = judged | "Break2" >> beam.Reshuffle() | "Rows" >> BuildRows(run)
    sent_back = pipeline | "Refused" >> beam.Create(refused or [], reshuffle=False)
    rejected = sent_back | "Rejected" >> RejectedRows(run)
    letters = (invalid, unjudged, unbuilt, rejected) | beam.Flatten()
    letters = letters | "Break3" >> beam.Reshuffle()
    letter_rows = letters | BuildDeadLetterRows()
    for name, output in [("rows", rows), ("letters", letters), ("letter_rows", letter_rows)]:
        _ = output | f"Keep {name}" >> beam.Map(_keep, name)
    result = pipeline.run()
    result.wait_until_finish()
    return Outcome(_SEEN["rows"], _SEEN["letters"], _SEEN["letter_rows"], result.metrics())
