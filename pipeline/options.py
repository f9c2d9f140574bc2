"""Parses the command line into one validated configuration."""

import argparse
import datetime as dt
from collections.abc import Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import (
    DirectOptions,
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)

from gcp import arguments
from pipeline.config import Config, Input, MicroBatch, WriteMethod
from pipeline.pseudonym.keys import OPTION, add_pseudonym_key, pseudonym_keys
from pipeline.source_options import PULL_OPTIONS, PULLED_FAMILIES, add_pull, postgres_input
from pipeline.sources.files import FileInput
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.subscription import SubscriptionInput
from schemas.dates import MARGIN
from schemas.event_time import EventTimeBounds
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily
from transforms.lateness.steps import LatenessConfig
from transforms.route import distinct

DATAFLOW_RUNNER = "DataflowRunner"
BOUNDED_RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
STREAMING_RUNNER = "BundleBasedDirectRunner"
# Other runners fail with a traceback, or succeed at once without having read anything.
_READ_PUBSUB = (STREAMING_RUNNER, DATAFLOW_RUNNER)


@arguments.checked
def distinct_families(text: str) -> tuple[EventFamily, ...]:
    """An argument type: event families that one run can read."""
    return distinct(arguments.families(text))


class UsageError(Exception):
    """The arguments are wrong; the text is the one line to show. Exit code 2."""


class ExamEventsOptions(PipelineOptions):
    """The options of this pipeline, beside Beam's own.

    Beam passes every option on as text, so argument types here validate a value and keep its text.
    """

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        _add_input(parser)
        add_pull(parser)
        _add_output(parser)
        _add_rules(parser)
        add_pseudonym_key(parser)
        _add_micro_batch(parser)


def _add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input_subscription",
        type=arguments.subscription,
        help="Pub/Sub subscription to stream from: projects/PROJECT/subscriptions/NAME",
    )
    parser.add_argument(
        "--input",
        help="file or pattern to read instead: .jsonl (one payload a line) or .avro (archive "
        "of a Pub/Sub Cloud Storage subscription, with metadata)",
    )
    parser.add_argument(
        "--event_family",
        type=arguments.as_text(distinct_families),
        metavar="NAME,...",
        help="event families to read, separated by commas; each is a folder of schemas/ "
        f"(default: {DEFAULT_FAMILY.name}; with --input_postgres {', '.join(PULLED_FAMILIES)})",
    )
    parser.add_argument(
        "--publish_time",
        type=arguments.as_text(arguments.moment),
        help="publish time of the lines of a .jsonl file, RFC 3339 (default: now)",
    )
    parser.add_argument(
        "--id_label",
        help="message attribute by which Dataflow drops copies before anyone can count them "
        "(default: none, the view events removes them)",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset",
        type=arguments.as_text(arguments.dataset),
        help="BigQuery dataset to write to: PROJECT.DATASET",
    )
    parser.add_argument(
        "--dead_letter_topic",
        type=arguments.topic,
        help="Pub/Sub topic for dead letters: projects/PROJECT/topics/NAME; required with "
        "--input_subscription only, since the table dead_letters has them too",
    )
    parser.add_argument(
        "--write_method",
        default=WriteMethod.STORAGE_WRITE_API,
        choices=list(WriteMethod),
        help="how rows reach BigQuery: STORAGE_WRITE_API (gRPC, Arrow) or STREAMING_INSERTS "
        "(REST; costs more and is slower) (default: %(default)s)",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max_event_age_days",
        type=arguments.whole_number(1, 3650),
        default=1800,
        help="how far event time may lie in the past, in days (default: %(default)s)",
    )
    parser.add_argument(
        "--max_event_ahead_days",
        type=arguments.whole_number(0, 365),
        default=1,
        help="how far event time may lie in the future, in days (default: %(default)s)",
    )
    parser.add_argument(
        "--session_start_wait_seconds",
        type=arguments.whole_number(1),
        default=60,
        help="processing time that an event may wait for its session's start, in seconds "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--session_state_ttl_seconds",
        type=arguments.whole_number(1),
        default=int(MARGIN.total_seconds()),
        help="event time after a session's last element when the stream forgets it, in seconds "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--settings_refresh_seconds",
        type=arguments.whole_number(1),
        default=600,
        help="how often the view lateness_rules is read again, in seconds (default: %(default)s)",
    )


def _add_micro_batch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--micro_batch",
        action="store_true",
        help="run the subscription batch by batch on this machine, and acknowledge what is written",
    )
    parser.add_argument(
        "--micro_batch_max_messages",
        type=arguments.whole_number(1, 100_000),
        default=5_000,
        help="messages of a batch (default: %(default)s)",
    )
    parser.add_argument(
        "--micro_batch_max_seconds",
        type=arguments.number(0, 600),
        default=1.0,
        help="how long a message waits for its batch to fill, in seconds (default: %(default)s)",
    )
    parser.add_argument(
        "--metrics_port",
        type=arguments.whole_number(0, 65_535),
        help="port of /metrics and /healthz with --micro_batch (default: none)",
    )


def parse(argv: Sequence[str]) -> tuple[Config, PipelineOptions]:
    """The configuration, and Beam's options with the runner set.

    Raises:
        UsageError: the arguments are wrong.
    """
    _check(argv)
    options = PipelineOptions(list(argv))
    try:
        config = _config(options.view_as(ExamEventsOptions))
    except ValueError as error:
        raise UsageError(str(error)) from None
    standard = options.view_as(StandardOptions)
    if config.micro_batch is not None:
        _check_runs_here(options)
    standard.streaming = isinstance(config.input, SubscriptionInput) and config.micro_batch is None
    standard.runner = _runner(standard.runner, standard.streaming)
    if standard.streaming and standard.runner.rsplit(".", 1)[-1] not in _READ_PUBSUB:
        raise UsageError(f"--input_subscription: {standard.runner} cannot read Pub/Sub")
    if options.view_as(ExamEventsOptions).id_label and standard.runner != DATAFLOW_RUNNER:
        raise UsageError("--id_label works on Dataflow only")
    if standard.runner == DATAFLOW_RUNNER and config.pseudonyms and config.pseudonyms.local:
        raise UsageError(f"{OPTION}: workers do not have {config.pseudonyms.local}")
    cloud = options.view_as(GoogleCloudOptions)
    cloud.project = cloud.project or config.dataset.project
    if cloud.template_location and isinstance(config.input, PostgresInput):
        raise UsageError("--input_postgres needs this process to the end: no --template_location")
    return config, options


def _check_runs_here(options: PipelineOptions) -> None:
    if not _is_direct(options.view_as(StandardOptions).runner):
        raise UsageError("--micro_batch runs on this machine: leave out --runner")
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode != "in_memory" or direct.direct_num_workers != 1:
        raise UsageError("--micro_batch runs in this process: leave out --direct_running_mode")


def _runner(asked: str | None, streaming: bool) -> str:
    """The canonical name of the runner; for the direct runner, the engine that fits the input."""
    if asked is None or _is_direct(asked):
        return STREAMING_RUNNER if streaming else BOUNDED_RUNNER
    name = asked.rsplit(".", 1)[-1].lower()
    return DATAFLOW_RUNNER if name in ("dataflow", "dataflowrunner") else asked


def _is_direct(asked: str | None) -> bool:
    return asked is None or asked.lower() in ("direct", "directrunner")


def _config(ours: ExamEventsOptions) -> Config:
    if ours.dataset is None:
        raise UsageError("--dataset PROJECT.DATASET is required")
    pulled = PULLED_FAMILIES if ours.input_postgres else (DEFAULT_FAMILY.name,)
    families = arguments.families(ours.event_family or ",".join(pulled))
    return Config(
        families=families,
        dataset=arguments.dataset(ours.dataset),
        input=_input(ours, families),
        bounds=EventTimeBounds(
            max_age=dt.timedelta(days=ours.max_event_age_days),
            max_ahead=dt.timedelta(days=ours.max_event_ahead_days),
        ),
        lateness=LatenessConfig(
            wait_seconds=ours.session_start_wait_seconds,
            state_ttl_seconds=ours.session_state_ttl_seconds,
        ),
        settings_refresh_seconds=ours.settings_refresh_seconds,
        dead_letter_topic=ours.dead_letter_topic,
        write_method=WriteMethod(ours.write_method),
        micro_batch=_micro_batch(ours),
        pseudonyms=pseudonym_keys(ours.pseudonym_key, families),
    )


def _input(ours: ExamEventsOptions, families: Sequence[EventFamily]) -> Input:
    if [ours.input, ours.input_subscription, ours.input_postgres or None].count(None) != 2:
        raise UsageError("give one of --input_subscription, --input and --input_postgres")
    if ours.input_postgres:
        return postgres_input(ours, families)
    _check_goes_with(ours, PULL_OPTIONS, "input_postgres")
    if ours.input_subscription is not None:
        if ours.dead_letter_topic is None:
            raise UsageError("--dead_letter_topic is required with --input_subscription")
        return SubscriptionInput(ours.input_subscription, ours.id_label)
    if not ours.input.endswith((".jsonl", ".avro")):
        raise UsageError("--input must end in .jsonl or .avro")
    published = ours.publish_time
    return FileInput(
        ours.input, arguments.moment(published) if published else dt.datetime.now(dt.UTC)
    )


def _micro_batch(ours: ExamEventsOptions) -> MicroBatch | None:
    if not ours.micro_batch:
        names = ("micro_batch_max_messages", "micro_batch_max_seconds", "metrics_port")
        _check_goes_with(ours, names, "micro_batch")
        return None
    if ours.input_subscription is None:
        raise UsageError("--micro_batch takes its messages from --input_subscription")
    return MicroBatch(
        ours.micro_batch_max_messages, ours.micro_batch_max_seconds, ours.metrics_port
    )


def _check_goes_with(ours: ExamEventsOptions, names: Sequence[str], option: str) -> None:
    given = ours.get_all_options(drop_default=True)
    for name in names:
        if name in given:
            raise UsageError(f"--{name} goes with --{option}")


class _Parser(arguments.Parser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(arguments.one_line(message))


def _check(argv: Sequence[str]) -> None:
    """Checks every argument: Beam ignores unknown ones, and a mistyped one must not be lost."""
    parser = _Parser(prog="python -m pipeline.main", allow_abbrev=False)
    for cls in {ExamEventsOptions, *PipelineOptions.__subclasses__()}:
        cls._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(list(argv))
    if unknown:
        raise UsageError(f"unknown argument {unknown[0]}")
