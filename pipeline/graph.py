"""The whole data flow. Read this module first.

Step names are part of a running job's identity: an update finds its state by them.
"""

from collections.abc import Callable

import apache_beam as beam

from gcp.dataset import Dataset
from pipeline.config import Config, WriteMethod
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
from schemas.event_time import EventTimeBounds
from schemas.lateness import LatenessResult
from schemas.message import Message
from schemas.tables import DEAD_LETTERS
from transforms.dead_letters import DeadLetterRows
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.steps import Lookups, SessionElement
from transforms.rows import FactRows
from transforms.steps import RejectedEvents, RunInfo, ValidateEvents

WRITE_FACTS = "WriteFacts"
WRITERS: dict[WriteMethod, Callable[[Dataset, str, tuple[str, ...]], RowWriter]] = {
    WriteMethod.STORAGE_WRITE_API: StorageWriter,
    WriteMethod.STREAMING_INSERTS: InsertRowsWriter,
}


def build(
    pipeline: beam.Pipeline,
    config: Config,
    bounds: EventTimeBounds,
    source: beam.PTransform | None = None,
    lookups: Lookups | None = None,
) -> None:
    """Adds the data flow of one event family to a pipeline.

    Args:
        pipeline: the steps are added to it.
        config: inputs, lateness options and outputs.
        bounds: of event time, see ``preflight.check``.
        source: provides the messages instead of the configured input.
        lookups: replaces the default, the dataset's settings without session starts.
    """
    family = config.family
    run = RunInfo(family=family, pipeline_version=VERSION)
    lookups = lookups or Lookups(SettingsTable(config.dataset, config.settings_refresh_seconds))
    facts = FactRows(family, VERSION)
    writer = WRITERS[config.write_method](config.dataset, family.table, facts.columns)
    coders.register(
        [Message, DeadLetter, LatenessResult, SessionElement, Rejection, family.valid_event]
    )

    messages = pipeline | "ReadMessages" >> (source or read(config.input))
    events, invalid = messages | "ValidateEvents" >> ValidateEvents(run, bounds)
    judged, failed = events | "JudgeLateness" >> JudgeLateness(run, config.lateness, lookups)
    unwritten = judged | WRITE_FACTS >> WriteRows(facts, writer, metrics.WRITTEN)
    rejected = unwritten | "RejectedEvents" >> RejectedEvents(run, WRITE_FACTS)

    dead_letters = (invalid, failed, rejected) | "DeadLetters" >> beam.Flatten()
    write_dead_letters(dead_letters, config)


def read(source: SubscriptionInput | FileInput) -> beam.PTransform:
    """Returns the transform that reads an input."""
    return ReadFiles(source) if isinstance(source, FileInput) else ReadSubscription(source)


def write_dead_letters(dead_letters: beam.PCollection[DeadLetter], config: Config) -> None:
    """Adds the steps from dead letters to their table and topic."""
    rows = DeadLetterRows()
    writer = WRITERS[config.write_method](config.dataset, DEAD_LETTERS, rows.columns)
    unwritten = (dead_letters,) | "WriteDeadLetters" >> WriteRows(
        rows, writer, metrics.DEAD_LETTERS_WRITTEN
    )
    _ = unwritten | "CountRefusedDeadLetters" >> CountRefused()
    if config.dead_letter_topic is not None:
        _ = dead_letters | "PublishDeadLetters" >> PublishDeadLetters(config.dead_letter_topic)
