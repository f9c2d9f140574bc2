"""The whole data flow. Read this page first.

Step names are part of a running job's identity: an update finds its state by them.
"""

import apache_beam as beam

from pipeline.options import Config
from pipeline.sinks import CountRefused, InsertRows, PublishDeadLetters
from pipeline.sources import ReadMessages
from pipeline.version import VERSION
from schemas import coders
from schemas.lateness import Judgement
from schemas.message import DeadLetter, Message
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

DEAD_LETTERS_TABLE = "dead_letters"


def build(pipeline: beam.Pipeline, config: Config) -> None:
    """Adds the data flow of one event family to a pipeline."""
    coders.register([Message, DeadLetter, Judgement, SessionElement, config.family.accepted])
    run = Run(family=config.family, pipeline_version=VERSION, source=config.source)

    messages = pipeline | "ReadMessages" >> ReadMessages(config)
    events, invalid = messages | "ValidateEvents" >> ValidateEvents(run, config.bounds)
    judged, unjudged = events | "JudgeLateness" >> JudgeLateness(run, config.lateness)
    rows, unbuilt = judged | "BuildRows" >> BuildRows(run)
    refused = rows | "InsertFacts" >> InsertRows(
        config.dataset, config.family.table, metrics.WRITTEN
    )
    rejected = refused | "RejectedRows" >> RejectedRows(run)

    dead_letters = (invalid, unjudged, unbuilt, rejected) | "DeadLetters" >> beam.Flatten()
    dead_letter_rows = dead_letters | "BuildDeadLetterRows" >> BuildDeadLetterRows()
    lost = dead_letter_rows | "InsertDeadLetters" >> InsertRows(
        config.dataset, DEAD_LETTERS_TABLE, metrics.DEAD_LETTERS_WRITTEN
    )
    _ = lost | "CountRefusedDeadLetters" >> CountRefused()
    if config.dead_letter_topic is not None:
        _ = dead_letters | "PublishDeadLetters" >> PublishDeadLetters(config.dead_letter_topic)
