"""The whole data flow. Read this page first.

Step names are part of a running job's identity: an update finds its state by them.
"""

from collections.abc import Callable

import apache_beam as beam

from gcp.dataset import Dataset
from pipeline.options import Config, WriteMethod
from pipeline.sinks.insert_rows import InsertRowsWriter
from pipeline.sinks.publish import PublishDeadLetters
from pipeline.sinks.row_writer import RowWriter
from pipeline.sinks.storage_write.writer import StorageWriter
from pipeline.sinks.write_rows import CountRefused, WriteRows
from pipeline.sources.files import ReadMessages
from pipeline.version import VERSION
from schemas import coders, metrics
from schemas.dead_letter import DeadLetter
from schemas.errors import Rejection
from schemas.lateness import LatenessResult
from schemas.message import Message
from transforms.dead_letters import DeadLetterRows
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.steps import SessionElement
from transforms.rows import FactRows
from transforms.steps import RejectedEvents, RunInfo, ValidateEvents

DEAD_LETTERS_TABLE = "dead_letters"
WRITERS: dict[WriteMethod, Callable[[Dataset, str, tuple[str, ...]], RowWriter]] = {
    WriteMethod.STORAGE_WRITE_API: StorageWriter,
    WriteMethod.STREAMING_INSERTS: InsertRowsWriter,
}


def build(pipeline: beam.Pipeline, config: Config, source: beam.PTransform | None = None) -> None:
    """Adds the data flow of one event family to a pipeline.

    Args:
        pipeline: gets the steps.
        config: what to read, judge by and write to.
        source: gives the messages instead of the configured input.
    """
    family = config.family
    coders.register(
        [Message, DeadLetter, LatenessResult, SessionElement, Rejection, family.valid_event]
    )
    run = RunInfo(family=family, pipeline_version=VERSION)
    facts = FactRows(family, VERSION)
    writer = WRITERS[config.write_method]

    messages = pipeline | "ReadMessages" >> (source or ReadMessages(config))
    events, invalid = messages | "ValidateEvents" >> ValidateEvents(run, config.bounds)
    judged, failed = events | "JudgeLateness" >> JudgeLateness(run, config.lateness)
    refused = judged | "WriteFacts" >> WriteRows(
        facts, writer(config.dataset, family.table, facts.columns), metrics.WRITTEN
    )
    rejected = refused | "RejectedEvents" >> RejectedEvents(run, "WriteFacts")

    dead_letters = (invalid, failed, rejected) | "DeadLetters" >> beam.Flatten()
    write_dead_letters(dead_letters, config)


def write_dead_letters(dead_letters: beam.PCollection[DeadLetter], config: Config) -> None:
    """Adds the steps from dead letters to their table and topic."""
    letters = DeadLetterRows()
    writer = WRITERS[config.write_method]
    lost = (dead_letters,) | "WriteDeadLetters" >> WriteRows(
        letters,
        writer(config.dataset, DEAD_LETTERS_TABLE, letters.columns),
        metrics.DEAD_LETTERS_WRITTEN,
    )
    _ = lost | "CountRefusedDeadLetters" >> CountRefused()
    if config.dead_letter_topic is not None:
        _ = dead_letters | "PublishDeadLetters" >> PublishDeadLetters(config.dead_letter_topic)
