"""Command line to one validated configuration, once."""

import argparse
import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)

from schemas.families import EXAM_EVENT, FAMILIES, EventFamily
from schemas.rules import EventTimeBounds
from schemas.warehouse import Dataset

_LOCAL_RUNNER = "DirectRunner"
_BOUNDED_RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
_STREAMING_RUNNER = "BundleBasedDirectRunner"
_RESOURCE = "projects/[^/]+/{}/[^/]+"


class UsageError(Exception):
    """The arguments are wrong; the text is the one line to show. Exit code 2."""


class ExamEventsOptions(PipelineOptions):
    """The options of this pipeline, beside Beam's own."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--input_subscription",
            help="Pub/Sub subscription to stream from: projects/PROJECT/subscriptions/NAME",
        )
        parser.add_argument(
            "--input",
            help="file or pattern to read instead: .jsonl (one payload a line) or .avro (archive "
            "of a Pub/Sub Cloud Storage subscription, with metadata)",
        )
        parser.add_argument(
            "--dead_letter_topic",
            help="Pub/Sub topic for dead letters: projects/PROJECT/topics/NAME; may be left out "
            "with --input, the table dead_letters has them all the same",
        )
        parser.add_argument("--dataset", help="BigQuery dataset to write to: PROJECT.DATASET")
        parser.add_argument(
            "--event_family",
            default=EXAM_EVENT.name,
            choices=sorted(FAMILIES),
            help="the kind of events to read (default: %(default)s)",
        )
        parser.add_argument(
            "--publish_time",
            help="publish time of the lines of a .jsonl file, RFC 3339 (default: now)",
        )
        parser.add_argument(
            "--max_event_age_days",
            type=int,
            default=1800,
            help="how far event time may lie in the past (default: %(default)s)",
        )
        parser.add_argument(
            "--max_event_ahead_days",
            type=int,
            default=1,
            help="how far event time may lie in the future (default: %(default)s)",
        )
        parser.add_argument(
            "--id_label",
            help="message attribute by which Dataflow drops copies before anyone can count them "
            "(default: none, the view events removes them)",
        )


@dataclasses.dataclass(frozen=True)
class Config:
    """What one run does. See ExamEventsOptions for the meanings."""

    family: EventFamily
    dataset: Dataset
    bounds: EventTimeBounds
    publish_time: dt.datetime
    input_subscription: str | None
    input: str | None
    dead_letter_topic: str | None
    id_label: str | None

    @property
    def source(self) -> str:
        """The subscription or file pattern that is read."""
        source = self.input_subscription or self.input
        assert source is not None  # noqa: S101 - parse() made sure of it
        return source


def parse(argv: Sequence[str]) -> tuple[Config, PipelineOptions]:
    """The configuration, and Beam's options with the runner chosen.

    Raises:
        UsageError: the arguments are wrong.
    """
    _refuse_unknown(argv)
    options = PipelineOptions(list(argv))
    ours = options.view_as(ExamEventsOptions)
    config = _config(ours)
    standard = options.view_as(StandardOptions)
    standard.streaming = config.input_subscription is not None
    if standard.runner in (None, _LOCAL_RUNNER):
        standard.runner = _STREAMING_RUNNER if standard.streaming else _BOUNDED_RUNNER
    cloud = options.view_as(GoogleCloudOptions)
    cloud.project = cloud.project or config.dataset.project
    return config, options


def _config(ours: ExamEventsOptions) -> Config:
    if ours.dataset is None:
        raise UsageError("--dataset PROJECT.DATASET is required")
    if (ours.input is None) == (ours.input_subscription is None):
        raise UsageError("give either --input_subscription or --input, one of the two")
    _check_resource("--input_subscription", ours.input_subscription, "subscriptions")
    _check_resource("--dead_letter_topic", ours.dead_letter_topic, "topics")
    if ours.input_subscription is not None and ours.dead_letter_topic is None:
        raise UsageError("--dead_letter_topic is required with --input_subscription")
    if ours.input is not None and not ours.input.endswith((".jsonl", ".avro")):
        raise UsageError("--input must end in .jsonl or .avro")
    if ours.max_event_age_days < 1 or ours.max_event_ahead_days < 0:
        raise UsageError("--max_event_age_days must be at least 1, --max_event_ahead_days 0")
    try:
        dataset = Dataset.parse(ours.dataset)
    except ValueError as error:
        raise UsageError(f"--dataset: {error}") from None
    return Config(
        family=FAMILIES[ours.event_family],
        dataset=dataset,
        bounds=EventTimeBounds(
            max_age=dt.timedelta(days=ours.max_event_age_days),
            max_ahead=dt.timedelta(days=ours.max_event_ahead_days),
        ),
        publish_time=_publish_time(ours.publish_time),
        input_subscription=ours.input_subscription,
        input=ours.input,
        dead_letter_topic=ours.dead_letter_topic,
        id_label=ours.id_label,
    )


def _publish_time(text: str | None) -> dt.datetime:
    if text is None:
        return dt.datetime.now(dt.UTC)
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("--publish_time must be an RFC 3339 timestamp") from None
    if value.tzinfo is None:
        raise UsageError("--publish_time needs an offset or Z")
    return value


def _check_resource(option: str, value: str | None, kind: str) -> None:
    if value is not None and re.fullmatch(_RESOURCE.format(kind), value) is None:
        raise UsageError(f"{option} must be projects/PROJECT/{kind}/NAME")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _refuse_unknown(argv: Sequence[str]) -> None:
    """Beam drops options that nobody knows; a mistyped one must not be lost in silence."""
    parser = _Parser(prog="python -m pipeline.main", allow_abbrev=False)
    for cls in {ExamEventsOptions, *PipelineOptions.__subclasses__()}:
        cls._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(list(argv))
    if unknown:
        raise UsageError(f"unknown argument {unknown[0]}")
