"""Command line to one validated configuration, once."""

import argparse
import dataclasses
import datetime as dt
import enum
import re
from collections.abc import Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import (
    DirectOptions,
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)

from gcp.dataset import Dataset
from pipeline.lookups.lateness_settings import SettingsTable
from pipeline.micro_batch.options import MicroBatch, add_micro_batch_arguments
from schemas.event_time import EventTimeBounds
from schemas.exam_event.family import EXAM_EVENT
from schemas.families import FAMILIES
from schemas.family import EventFamily
from transforms.lateness.steps import LatenessConfig

DATAFLOW_RUNNER = "DataflowRunner"
BOUNDED_RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
STREAMING_RUNNER = "BundleBasedDirectRunner"
# Others fail with a traceback, or succeed at once without having read anything.
_READ_PUBSUB = (STREAMING_RUNNER, DATAFLOW_RUNNER)
_RESOURCE = "projects/[^/]+/{}/[^/]+"


class WriteMethod(enum.StrEnum):
    """How rows reach BigQuery."""

    STORAGE_WRITE_API = "STORAGE_WRITE_API"
    STREAMING_INSERTS = "STREAMING_INSERTS"


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
            "--session_start_wait_seconds",
            type=int,
            default=60,
            help="processing time that an event may wait for its session's start "
            "(default: %(default)s)",
        )
        parser.add_argument(
            "--session_state_ttl_seconds",
            type=int,
            default=8 * 24 * 3600,
            help="event time after a session's last element when the stream forgets it "
            "(default: %(default)s)",
        )
        parser.add_argument(
            "--settings_refresh_seconds",
            type=int,
            default=600,
            help="how often the table lateness_settings is read again (default: %(default)s)",
        )
        parser.add_argument(
            "--write_method",
            default=WriteMethod.STORAGE_WRITE_API,
            choices=list(WriteMethod),
            help="how rows reach BigQuery: STORAGE_WRITE_API (gRPC, Arrow) or STREAMING_INSERTS "
            "(REST; dearer and slower) (default: %(default)s)",
        )
        parser.add_argument(
            "--id_label",
            help="message attribute by which Dataflow drops copies before anyone can count them "
            "(default: none, the view events removes them)",
        )
        add_micro_batch_arguments(parser)


@dataclasses.dataclass(frozen=True)
class Config:
    """What one run does. See ExamEventsOptions for the meanings."""

    family: EventFamily
    dataset: Dataset
    bounds: EventTimeBounds
    lateness: LatenessConfig
    publish_time: dt.datetime
    input_subscription: str | None
    input: str | None
    dead_letter_topic: str | None
    write_method: WriteMethod
    id_label: str | None
    micro_batch: MicroBatch | None

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
    if config.micro_batch is not None and not _is_direct(standard.runner):
        raise UsageError("--micro_batch runs on this machine: leave out --runner")
    direct = options.view_as(DirectOptions)
    if config.micro_batch is not None and (
        direct.direct_running_mode != "in_memory" or direct.direct_num_workers != 1
    ):
        raise UsageError("--micro_batch runs in this process: leave out --direct_running_mode")
    standard.streaming = config.input_subscription is not None and config.micro_batch is None
    standard.runner = _runner(standard.runner, standard.streaming)
    if standard.streaming and standard.runner.rsplit(".", 1)[-1] not in _READ_PUBSUB:
        raise UsageError(f"--input_subscription: {standard.runner} cannot read Pub/Sub")
    if config.id_label is not None and standard.runner != DATAFLOW_RUNNER:
        raise UsageError("--id_label works on Dataflow only")
    cloud = options.view_as(GoogleCloudOptions)
    cloud.project = cloud.project or config.dataset.project
    return config, options


def _runner(asked: str | None, streaming: bool) -> str:
    """The runner's name in one spelling; for the direct runner, the engine that fits the input."""
    if asked is None or _is_direct(asked):
        return STREAMING_RUNNER if streaming else BOUNDED_RUNNER
    name = asked.rsplit(".", 1)[-1].lower()
    return DATAFLOW_RUNNER if name in ("dataflow", "dataflowrunner") else asked


def _is_direct(asked: str | None) -> bool:
    return asked is None or asked.lower() in ("direct", "directrunner")


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
    if not 1 <= ours.max_event_age_days <= 3650 or not 0 <= ours.max_event_ahead_days <= 365:
        raise UsageError(
            "--max_event_age_days must be 1 to 3650, --max_event_ahead_days must be 0 to 365"
        )
    for name in (
        "session_start_wait_seconds",
        "session_state_ttl_seconds",
        "settings_refresh_seconds",
    ):
        if getattr(ours, name) < 1:
            raise UsageError(f"--{name} must be at least 1")
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
        lateness=LatenessConfig(
            settings=SettingsTable(dataset, ours.settings_refresh_seconds),
            wait_seconds=ours.session_start_wait_seconds,
            state_ttl_seconds=ours.session_state_ttl_seconds,
        ),
        publish_time=_publish_time(ours.publish_time),
        input_subscription=ours.input_subscription,
        input=ours.input,
        dead_letter_topic=ours.dead_letter_topic,
        write_method=WriteMethod(ours.write_method),
        id_label=ours.id_label,
        micro_batch=_micro_batch(ours),
    )


def _micro_batch(ours: ExamEventsOptions) -> MicroBatch | None:
    if not ours.micro_batch:
        given = ours.get_all_options(drop_default=True)
        for name in ("micro_batch_max_messages", "micro_batch_max_seconds", "metrics_port"):
            if name in given:
                raise UsageError(f"--{name} goes with --micro_batch")
        return None
    if ours.input_subscription is None:
        raise UsageError("--micro_batch takes its messages from --input_subscription")
    try:
        return MicroBatch(
            ours.micro_batch_max_messages, ours.micro_batch_max_seconds, ours.metrics_port
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


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
