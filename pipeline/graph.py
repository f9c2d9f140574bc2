"""The whole data flow. Read this module first.

Step names are part of a running job's identity: an update finds its state by them.
"""

from collections.abc import Callable

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations

from gcp.dataset import Dataset
from pipeline.config import Config, Input, WriteMethod
from pipeline.lookups.lateness_settings import SettingsTable
from pipeline.sinks.insert_rows import InsertRowsWriter
from pipeline.sinks.publish import PublishDeadLetters
from pipeline.sinks.row_writer import RowWriter
from pipeline.sinks.storage_write.writer import StorageWriter
from pipeline.sinks.write_rows import CountRefused, WriteRows
from pipeline.sources.files import FileInput, ReadFiles
from pipeline.sources.subscription import ReadSubscription, SubscriptionInput
from pipeline.version import VERSION
from schemas import coders, metrics
from schemas.dead_letter import DeadLetter
from schemas.errors import Rejection
from schemas.event_time import Bounds
from schemas.family import EventFamily
from schemas.lateness import LatenessResult
from schemas.message import Message
from schemas.tables import DEAD_LETTERS
from transforms.dead_letters import DeadLetterRows
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.steps import Lookups, SessionElement
from transforms.route import RouteEvents
from transforms.rows import FactRows
from transforms.steps import RejectedEvents, RunInfo, ValidateEvents

WRITE_FACTS = "WriteFacts"
WRITERS: dict[WriteMethod, Callable[[Dataset, str, tuple[str, ...], str | None], RowWriter]] = {
    WriteMethod.STORAGE_WRITE_API: StorageWriter,
    WriteMethod.STREAMING_INSERTS: InsertRowsWriter,
}


def build(
    pipeline: beam.Pipeline,
    config: Config,
    bounds: Bounds,
    source: beam.PTransform | None = None,
    lookups: Lookups | None = None,
) -> None:
    """Adds the data flow of one or several event families to a pipeline.

    Args:
        pipeline: the steps are added to it.
        config: inputs, event families, lateness options and outputs.
        bounds: of event time, see ``preflight.check``.
        source: provides the messages instead of the configured input.
        lookups: replaces the default, the dataset's settings without session starts.
    """
    lookups = lookups or Lookups(SettingsTable(config.dataset, config.settings_refresh_seconds))
    coders.register([Message, DeadLetter, LatenessResult, SessionElement, Rejection])
    coders.register(family.valid_event for family in config.families)

    messages = pipeline | "ReadMessages" >> (source or read(config.input))
    if len(config.families) == 1:
        facts = StoreFacts(config.families[0], config, bounds, lookups)
        dead_letters = facts.expand(messages)
    else:
        routed, unrouted = messages | "RouteEvents" >> RouteEvents(config.families, VERSION)
        dead_letters = [unrouted]
        for family in config.families:
            store = StoreFacts(family, config, bounds, lookups)
            dead_letters += routed[family.name] | family.name >> store

    dead_letters = tuple(dead_letters) | "DeadLetters" >> beam.Flatten()
    write_dead_letters(dead_letters, config)


class StoreFacts(beam.PTransform):
    """Messages of one family -> collections of the DeadLetters of those that are no facts."""

    def __init__(
        self, family: EventFamily, config: Config, bounds: Bounds, lookups: Lookups
    ) -> None:
        super().__init__()
        self._family, self._config, self._lookups = family, config, lookups
        self._bounds = bounds[family.name]

    @no_annotations
    def expand(
        self, input_or_inputs: beam.PCollection[Message]
    ) -> tuple[beam.PCollection[DeadLetter], ...]:
        """Validates, judges and writes the events of the family."""
        family, config = self._family, self._config
        keys = config.pseudonyms
        run = RunInfo(family, VERSION, None if keys is None else keys.read)
        facts = FactRows(family, VERSION)
        writer = WRITERS[config.write_method](
            config.dataset, family.table, facts.columns, family.column("ingest_ts")
        )
        written = [metrics.WRITTEN]
        if len(config.families) > 1:
            written.append(metrics.family_counter(metrics.WRITTEN, family.name))

        events, invalid = input_or_inputs | "ValidateEvents" >> ValidateEvents(run, self._bounds)
        judged, failed = events | "JudgeLateness" >> JudgeLateness(
            run, config.lateness, self._lookups
        )
        unwritten = judged | WRITE_FACTS >> WriteRows(facts, writer, *written)
        rejected = unwritten | "RejectedEvents" >> RejectedEvents(run.letters, WRITE_FACTS)
        return invalid, failed, rejected


def read(source: Input) -> beam.PTransform:
    """Returns the transform that reads an input.

    Raises:
        TypeError: it is a PostgreSQL, which is read by the transform of a pull that has begun.
    """
    if isinstance(source, FileInput):
        return ReadFiles(source)
    if isinstance(source, SubscriptionInput):
        return ReadSubscription(source)
    raise TypeError("begin the pull, and give its source")


def write_dead_letters(dead_letters: beam.PCollection[DeadLetter], config: Config) -> None:
    """Adds the steps from dead letters to their table and topic."""
    several = len(config.families) > 1
    rows = DeadLetterRows([family.name for family in config.families] if several else ())
    writer = WRITERS[config.write_method](config.dataset, DEAD_LETTERS, rows.columns, None)
    unwritten = (dead_letters,) | "WriteDeadLetters" >> WriteRows(
        rows, writer, metrics.DEAD_LETTERS_WRITTEN
    )
    _ = unwritten | "CountRefusedDeadLetters" >> CountRefused()
    if config.dead_letter_topic is not None:
        _ = dead_letters | "PublishDeadLetters" >> PublishDeadLetters(config.dead_letter_topic)
