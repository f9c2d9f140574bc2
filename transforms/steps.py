"""The steps between source and sinks as PTransforms: wiring only, the rules are in functions.

Each returns its main output first and, if a message can fail in it, the dead letters second.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.typehints.decorators import no_annotations
from apache_beam.typehints.native_type_compatibility import convert_to_beam_type

from schemas import metrics
from schemas.dead_letter import DeadLetter
from schemas.errors import ContractError, Rejection
from schemas.event_time import EventTimeBounds
from schemas.family import EventFamily
from schemas.message import Message, ValidEvent
from transforms.dead_letters import DeadLetterFactory, internal_error
from transforms.decoding.decode import Decoder
from transforms.decoding.unknown_fields import ContractNames
from transforms.pseudonyms import PseudonymChain, Pseudonymizer
from transforms.validate import Validator

DEAD_LETTERS = "dead_letters"
_LOG = logging.getLogger(__name__)

Dead: TypeAlias = TaggedOutput[Literal["dead_letters"], DeadLetter]


@dataclasses.dataclass(frozen=True)
class RunInfo:
    """What is the same for every element of a run.

    Attributes:
        pseudonyms: reads the keys of pseudonyms, on the worker; None for ids as sent.
    """

    family: EventFamily
    pipeline_version: str
    pseudonyms: Callable[[], PseudonymChain] | None = None

    @property
    def letters(self) -> DeadLetterFactory:
        """Builds the dead letters of the family."""
        return DeadLetterFactory(self.family, self.pipeline_version)


class ValidateEvents(beam.PTransform):
    """Message -> (ValidEvent, DeadLetter of every other message)."""

    def __init__(self, run: RunInfo, bounds: EventTimeBounds) -> None:
        super().__init__()
        self._run = run
        self._bounds = bounds

    @no_annotations
    def expand(
        self, input_or_inputs: beam.PCollection[Message]
    ) -> tuple[beam.PCollection[ValidEvent], beam.PCollection[DeadLetter]]:
        """Returns the valid events, and the dead letters of all other messages."""
        validate = _ValidateFn(self._run, self.label, self._bounds)
        return split(input_or_inputs, "Validate", validate, self._run.family.valid_event)


class RejectedEvents(beam.PTransform):
    """(Message, Rejection) from a sink -> DeadLetter."""

    def __init__(self, letters: DeadLetterFactory, stage: str) -> None:
        """Takes the name of the sink's step as ``stage``."""
        super().__init__()
        self._fn = _RejectedFn(letters, stage)

    def expand(
        self, input_or_inputs: beam.PCollection[tuple[Message, Rejection]]
    ) -> beam.PCollection[DeadLetter]:
        """Returns one dead letter per rejected message."""
        return input_or_inputs | "Tell" >> beam.ParDo(self._fn).with_output_types(DeadLetter)


def split(
    elements: beam.PCollection[Any], label: str, fn: beam.DoFn, good: Any
) -> tuple[beam.PCollection[Any], beam.PCollection[DeadLetter]]:
    """Applies ``fn``; returns its main output, of type ``good``, and its dead letters."""
    outputs = elements | label >> beam.ParDo(fn).with_outputs(DEAD_LETTERS, main="good")
    outputs.good.element_type = convert_to_beam_type(good)
    outputs[DEAD_LETTERS].element_type = DeadLetter
    return outputs.good, outputs[DEAD_LETTERS]


class StepFn(beam.DoFn):
    """Base of the steps: worker-side setup, and a dead letter for any exception."""

    def __init__(self, run: RunInfo, stage: str) -> None:
        self.run = run
        self.stage = stage

    def setup(self) -> None:
        """Creates the dead-letter factory on the worker."""
        self.letters = self.run.letters

    def bug(self, message: Message, error: Exception) -> Dead:
        """The dead letter of a message that this step failed on."""
        # The traceback stays out of the log: it may quote the payload.
        _LOG.error("%s failed on a message: %s", self.stage, type(error).__name__)
        letter = self.letters.of_error(
            message, internal_error(error), self.stage, dt.datetime.now(dt.UTC)
        )
        return TaggedOutput(DEAD_LETTERS, letter)


class _ValidateFn(StepFn):
    def __init__(self, run: RunInfo, stage: str, bounds: EventTimeBounds) -> None:
        super().__init__(run, stage)
        self._bounds = bounds
        self._received = metrics.counter(metrics.RECEIVED)
        self._payload_bytes = metrics.distribution(metrics.PAYLOAD_BYTES)
        self._unknown_fields = metrics.counter(metrics.UNKNOWN_FIELDS)
        self._like_known = metrics.counter(metrics.UNKNOWN_FIELDS_LIKE_KNOWN)
        self._event_lag = metrics.distribution(metrics.EVENT_LAG_SECONDS)

    def setup(self) -> None:
        super().setup()
        family = self.run.family
        chain = self.run.pseudonyms() if self.run.pseudonyms is not None else None
        self._pseudonyms = None if chain is None else Pseudonymizer(family, chain)
        identity_key = None if chain is None else chain.identity_key
        self._decoder = Decoder(family)
        self._validator = Validator(family, self._bounds, self._decoder, identity_key)
        self._names = ContractNames(family)

    def process(self, element: Message) -> Iterator[ValidEvent | Dead]:
        now = dt.datetime.now(dt.UTC)
        self._received.inc()
        self._payload_bytes.update(element.size or len(element.payload))
        try:
            accepted = self._validator.validate(element, now)
            if accepted.extra is not None:
                self._count_unknown_fields(accepted.extra)
            if self._pseudonyms is not None:
                accepted = self._pseudonyms.replace(accepted)
        except ContractError as error:
            yield self._dead(self.letters.of_error(element, Rejection.of(error), self.stage, now))
            return
        except Exception as error:
            yield self.bug(element, error)
            return
        if self.run.family.event_time is not None:
            event_time = getattr(accepted.event, self.run.family.event_time)
            self._event_lag.update(int((now - event_time).total_seconds()))
        if accepted.event.event_type in self.run.family.dead_letter_types:
            yield self._dead(self.letters.of_event(element, accepted, self.stage, now))
        else:
            yield accepted

    def finish_bundle(self) -> None:
        for name, times in self._decoder.dropped.items():
            metrics.counter(metrics.dropped_field_counter(name)).inc(times)
        self._decoder.dropped.clear()

    def _count_unknown_fields(self, extra: str) -> None:
        self._unknown_fields.inc()
        if self._names.like_known(extra):
            self._like_known.inc()

    @staticmethod
    def _dead(letter: DeadLetter) -> Dead:
        return TaggedOutput(DEAD_LETTERS, letter)


class _RejectedFn(beam.DoFn):
    def __init__(self, letters: DeadLetterFactory, stage: str) -> None:
        self._letters = letters
        self._stage = stage

    def process(self, element: tuple[Message, Rejection]) -> Iterator[DeadLetter]:
        message, rejection = element
        yield self._letters.of_error(message, rejection, self._stage, dt.datetime.now(dt.UTC))
