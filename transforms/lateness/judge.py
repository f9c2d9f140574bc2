"""The step JudgeLateness: decides from the payload where possible, else by session."""

from typing import Any

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations
from apache_beam.typehints.native_type_compatibility import convert_to_beam_type

from schemas.dead_letter import DeadLetter
from schemas.lateness import LatenessResult
from schemas.message import ValidEvent
from transforms.lateness.hold import HoldForStartFn
from transforms.lateness.sessions import JudgeSessionFn
from transforms.lateness.steps import (
    BY_SESSION,
    LatenessConfig,
    Lookups,
    NotApplicableFn,
    SessionElement,
    SettleFn,
)
from transforms.steps import DEAD_LETTERS, RunInfo, split


class JudgeLateness(beam.PTransform):
    """ValidEvent -> (collections of (ValidEvent, LatenessResult), DeadLetter of internal errors).

    Events judged from their payload and events judged by session stay separate collections, so that
    the sink is fused with either: Beam's local runner buffers flattened collections in memory.
    """

    def __init__(self, run: RunInfo, config: LatenessConfig, lookups: Lookups) -> None:
        super().__init__()
        self._run = run
        self._config = config
        self._lookups = lookups

    @no_annotations
    def expand(
        self, input_or_inputs: beam.PCollection[ValidEvent]
    ) -> tuple[tuple[beam.PCollection[Any], ...], beam.PCollection[DeadLetter]]:
        """Groups a bounded input by session; a stream holds events in state."""
        run, settings = self._run, self._lookups.settings
        judged_type = tuple[run.family.valid_event, LatenessResult]  # type: ignore[name-defined]
        if not run.family.judged_types:
            judged, failed = split(input_or_inputs, "NotApplicable", NotApplicableFn(), judged_type)
            return (judged,), failed
        first = input_or_inputs | "Settle" >> beam.ParDo(
            SettleFn(run, self.label, settings)
        ).with_outputs(BY_SESSION, DEAD_LETTERS, main="settled")
        first.settled.element_type = convert_to_beam_type(judged_type)
        first[BY_SESSION].element_type = convert_to_beam_type(tuple[str, SessionElement])
        first[DEAD_LETTERS].element_type = DeadLetter
        if input_or_inputs.is_bounded:
            sessions = first[BY_SESSION] | "GroupBySession" >> beam.GroupByKey()
            judge = JudgeSessionFn(run, self.label, settings, self._lookups.starts)
            joined, failed = split(sessions, "JudgeSession", judge, judged_type)
        else:
            hold = HoldForStartFn(run, self.label, settings, self._config)
            joined, failed = split(first[BY_SESSION], "HoldForStart", hold, judged_type)
        return (
            (first.settled, joined),
            (first[DEAD_LETTERS], failed) | "Failed" >> beam.Flatten(),
        )
