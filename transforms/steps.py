"""The steps between source and sinks as PTransforms: wiring only, the rules are in the functions.

Each gives its good output first and, where a message can fail in it, the dead letters beside it.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.typehints.decorators import no_annotations
from apache_beam.typehints.native_type_compatibility import convert_to_beam_type

from schemas.errors import ContractError, ErrorKind
from schemas.families import EventFamily
from schemas.lateness import Judgement
from schemas.message import Accepted, DeadLetter, Message
from schemas.rules import EventTimeBounds
from transforms import metrics
from transforms.dead_letters import DeadLetters, RowErrors, internal_error_text, to_row
from transforms.decode import Decoder
from transforms.rows import RowBuilder
from transforms.validate import Validator

DEAD_LETTERS = "dead_letters"
_LOG = logging.getLogger(__name__)

Row = dict[str, Any]
Dead: TypeAlias = TaggedOutput[Literal["dead_letters"], DeadLetter]


@dataclasses.dataclass(frozen=True)
class Run:
    """What is the same for every element of a run."""

    family: EventFamily
    pipeline_version: str
    source: str


class ValidateEvents(beam.PTransform):
    """Message -> (Accepted, DeadLetter of everything else)."""

    def __init__(self, run: Run, bounds: EventTimeBounds) -> None:
        super().__init__()
        self._fn = _ValidateFn(run, bounds)
        self._accepted = run.family.accepted

    @no_annotations
    def expand(
        self, input_or_inputs: beam.PCollection[Message]
    ) -> tuple[beam.PCollection[Accepted], beam.PCollection[DeadLetter]]:
        """Wires the step."""
        return split(input_or_inputs, "Validate", self._fn, self._accepted)


class BuildRows(beam.PTransform):
    """(Accepted, Judgement) -> (Row, DeadLetter where our code failed)."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._fn = _BuildRowFn(run)

    @no_annotations
    def expand(
        self, input_or_inputs: beam.PCollection[tuple[Accepted, Judgement]]
    ) -> tuple[beam.PCollection[Row], beam.PCollection[DeadLetter]]:
        """Wires the step."""
        return split(input_or_inputs, "Build", self._fn, Row)


class RejectedRows(beam.PTransform):
    """What the warehouse refused, (table, row, errors) -> DeadLetter."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._fn = _RejectedRowFn(run)

    def expand(self, input_or_inputs: beam.PCollection[Any]) -> beam.PCollection[DeadLetter]:
        """Wires the step."""
        return input_or_inputs | "Rebuild" >> beam.ParDo(self._fn).with_output_types(DeadLetter)


class BuildDeadLetterRows(beam.PTransform):
    """DeadLetter -> row (dict) of the table dead_letters, counted by error kind."""

    def expand(self, input_or_inputs: beam.PCollection[DeadLetter]) -> beam.PCollection[Row]:
        """Wires the step."""
        return input_or_inputs | "Build" >> beam.ParDo(_DeadLetterRowFn()).with_output_types(Row)


def split(
    elements: beam.PCollection[Any], label: str, fn: beam.DoFn, good: Any
) -> tuple[beam.PCollection[Any], beam.PCollection[DeadLetter]]:
    """Runs a step; ``good`` is the type of its main output, known only where the family is."""
    outputs = elements | label >> beam.ParDo(fn).with_outputs(DEAD_LETTERS, main="good")
    outputs.good.element_type = convert_to_beam_type(good)
    outputs[DEAD_LETTERS].element_type = DeadLetter
    return outputs.good, outputs[DEAD_LETTERS]


class StepFn(beam.DoFn):
    """What the steps share: one worker-side set-up, and no way for an element to disappear."""

    def __init__(self, run: Run, stage: str) -> None:
        self.run = run
        self.stage = stage

    def setup(self) -> None:
        """Opens what the worker needs."""
        self.letters = DeadLetters(self.run.family, self.run.pipeline_version)

    def bug(self, accepted: Accepted, error: Exception) -> Dead:
        """The dead letter of an event that this step failed on."""
        # The traceback stays out of the log: it may quote the payload.
        _LOG.error("%s failed on a message: %s", self.stage, type(error).__name__)
        letter = self.letters.of_bug(
            accepted, error, self.run.source, self.stage, dt.datetime.now(dt.UTC)
        )
        return TaggedOutput(DEAD_LETTERS, letter)


class _ValidateFn(StepFn):
    def __init__(self, run: Run, bounds: EventTimeBounds) -> None:
        super().__init__(run, "ValidateEvents")
        self._bounds = bounds
        self._received = metrics.counter(metrics.RECEIVED)
        self._payload_bytes = metrics.distribution(metrics.PAYLOAD_BYTES)
        self._event_lag = metrics.distribution(metrics.EVENT_LAG_SECONDS)

    def setup(self) -> None:
        super().setup()
        family = self.run.family
        self._validator = Validator(family, self._bounds, Decoder(family))

    def process(self, element: Message) -> Iterator[Accepted | Dead]:
        now = dt.datetime.now(dt.UTC)
        self._received.inc()
        self._payload_bytes.update(element.size or len(element.payload))
        try:
            accepted = self._validator.validate(element, now)
        except ContractError as error:
            yield self._dead(self.letters.of_error(element, error, self.stage, now))
            return
        except Exception as error:
            _LOG.error("%s failed on a message: %s", self.stage, type(error).__name__)
            bug = ContractError(ErrorKind.INTERNAL_ERROR, internal_error_text(error))
            yield self._dead(self.letters.of_error(element, bug, self.stage, now))
            return
        self._event_lag.update(int((now - accepted.event.client_ts).total_seconds()))
        if accepted.event.event_type in self.run.family.dead_letter_types:
            yield self._dead(self.letters.of_event(element, accepted, self.stage, now))
        else:
            yield accepted

    @staticmethod
    def _dead(letter: DeadLetter) -> Dead:
        return TaggedOutput(DEAD_LETTERS, letter)


class _BuildRowFn(StepFn):
    def __init__(self, run: Run) -> None:
        super().__init__(run, "BuildRows")

    def setup(self) -> None:
        super().setup()
        self._rows = RowBuilder(self.run.family, self.run.pipeline_version)

    def process(self, element: tuple[Accepted, Judgement]) -> Iterator[Row | Dead]:
        accepted, judgement = element
        try:
            row = self._rows.row(accepted, judgement, dt.datetime.now(dt.UTC))
        except Exception as error:
            yield self.bug(accepted, error)
            return
        yield row


class _RejectedRowFn(StepFn):
    def __init__(self, run: Run) -> None:
        super().__init__(run, "InsertFacts")

    def process(self, element: tuple[str, Row, RowErrors]) -> Iterator[DeadLetter]:
        _, row, errors = element
        yield self.letters.of_rejected_row(
            row, errors, self.run.source, self.stage, dt.datetime.now(dt.UTC)
        )


class _DeadLetterRowFn(beam.DoFn):
    def __init__(self) -> None:
        self._counters = {
            kind: metrics.counter(metrics.error_kind_counter(kind)) for kind in ErrorKind
        }

    def process(self, element: DeadLetter) -> Iterator[Row]:
        self._counters[element.error_kind].inc()
        yield to_row(element)
