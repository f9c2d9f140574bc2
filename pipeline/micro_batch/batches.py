"""Runs the graph over one batch after the other, bounded and in this process."""

import collections
import logging
from collections.abc import Iterator, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils.shared import Shared
from google.api_core.retry import Retry
from google.cloud.pubsub_v1.subscriber.message import Message as PubSubMessage

from gcp.retry import is_outage
from pipeline import graph
from pipeline.config import Config
from pipeline.micro_batch.source import Batch, ReadBatch
from pipeline.version import VERSION
from schemas import metrics
from schemas.errors import Rejection
from schemas.event_time import Bounds
from schemas.message import Message
from transforms.dead_letters import DeadLetterFactory, internal_error
from transforms.lateness.steps import Lookups
from transforms.steps import RejectedEvents

Counts = collections.Counter[str]
STAGE = "RunBatch"
_LOG = logging.getLogger(__name__)


class Batches:
    """Runs the graph over batches; its pipeline is built once and run again for each.

    A finished run has written everything. If a run fails in our own code, its batch is halved until
    the message at fault is alone; that message becomes a dead letter.
    """

    def __init__(
        self, config: Config, bounds: Bounds, options: PipelineOptions, lookups: Lookups
    ) -> None:
        # Beam logs the error of a run, which may quote a payload; here it is raised as well.
        logging.getLogger("apache_beam.runners").setLevel(logging.CRITICAL)
        self._config = config
        self._options = options
        # Which of several families a message is of was for the graph to find.
        only = config.families[0] if len(config.families) == 1 else None
        self._letters = DeadLetterFactory(only, VERSION)
        self._shared = Shared()  # keeps no object alive for long: the reference is held here
        self._batch: Batch = self._shared.acquire(lambda: Batch(config.input.name))
        self._events = beam.Pipeline(options=options)
        graph.build(self._events, config, bounds, ReadBatch(self._shared), lookups)

    def run(self, messages: Sequence[PubSubMessage]) -> Counts:
        """Writes all of the messages to the warehouse; returns our counters.

        Raises:
            Exception: our code fails regardless of the messages.
        """
        try:
            return self._run(self._events, messages)
        except Exception as error:
            _LOG.error("a batch of %d failed: %s", len(messages), type(_first(error)).__name__)
            if len(messages) > 1:
                middle = len(messages) // 2
                return self.run(messages[:middle]) + self.run(messages[middle:])
            if messages:
                self._run(self._events, ())  # raises if the message is not the cause
                return self._run(self._rejecting(internal_error(_first(error))), messages)
            raise

    def _rejecting(self, rejection: Rejection) -> beam.Pipeline:
        """A pipeline that turns the batch into dead letters with this rejection."""
        pipeline = beam.Pipeline(options=self._options)
        letters = (
            pipeline
            | "ReadMessages" >> ReadBatch(self._shared)
            | "Reject"
            >> beam.ParDo(_RejectFn(rejection)).with_output_types(tuple[Message, Rejection])
            | "Failed" >> RejectedEvents(self._letters, STAGE)
        )
        graph.write_dead_letters(letters, self._config)
        return pipeline

    def _run(self, pipeline: beam.Pipeline, messages: Sequence[PubSubMessage]) -> Counts:
        self._batch.messages = messages
        try:
            result = _WAIT(pipeline.run)()
        finally:
            self._batch.messages = ()
        return Counts(metrics.counters(result.metrics()))


class _RejectFn(beam.DoFn):
    def __init__(self, rejection: Rejection) -> None:
        self._rejection = rejection

    def process(self, element: Message) -> Iterator[tuple[Message, Rejection]]:
        yield element, self._rejection


def _first(error: BaseException) -> BaseException:
    """The exception itself; Beam raises one of its own in its place."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error


def _is_elsewhere(error: BaseException) -> bool:
    """Whether a run failed on a service or on this machine (memory, disk), not on a message."""
    first = _first(error)
    return is_outage(first) or isinstance(first, MemoryError)


def _tell(error: Exception) -> None:
    _LOG.warning("a batch waits and will be retried: %s", type(_first(error)).__name__)


_WAIT = Retry(
    predicate=_is_elsewhere, initial=1.0, maximum=60.0, multiplier=2.0, timeout=None, on_error=_tell
)
