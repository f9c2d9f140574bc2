"""Runs the pipeline: ``python -m pipeline.main --help``."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import NoReturn

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.runner import PipelineResult, PipelineState
from google.api_core.exceptions import GoogleAPICallError, RetryError

from gcp import arguments
from gcp.secrets import SecretError
from pipeline import graph, preflight
from pipeline.config import Config
from pipeline.options import DATAFLOW_RUNNER, ExamEventsOptions, UsageError, parse
from pipeline.sources.files import DamagedInputError
from pipeline.sources.postgres.input import PostgresInput, SourceError
from pipeline.sources.subscription import SubscriptionInput
from schemas import metrics
from schemas.event_time import Bounds

_STOP_SECONDS = 5.0
_LOG = logging.getLogger("pipeline")


class _StopRequested(BaseException):
    """The process was asked to stop. Not an Exception, so that Beam does not handle it."""


def main(argv: Sequence[str]) -> int:
    """Runs the pipeline until it ends or a signal stops it; returns the exit code."""
    if "--help" in argv or "-h" in argv:
        print(_help())
        return 0
    _set_up_logging()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        config, options = parse(argv)
        bounds = preflight.check(config)
        if config.micro_batch is not None:
            return _run_batches(config, bounds, options)
        if isinstance(config.input, PostgresInput):
            return _pull(config, config.input, bounds, options)
        return _run(config, _pipeline(config, bounds, options), _runner(options))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (preflight.StartupError, DamagedInputError, SecretError, SourceError) as error:
        text, _, _ = str(error).partition(" [while running")  # Beam's addition
        print(f"error: {text}", file=sys.stderr)
        return 1
    except _StopRequested:
        print("error: interrupted before the run began", file=sys.stderr)
        return 1


def _pipeline(
    config: Config,
    bounds: Bounds,
    options: PipelineOptions,
    source: beam.PTransform | None = None,
) -> beam.Pipeline:
    try:
        pipeline = beam.Pipeline(options=options)
        graph.build(pipeline, config, bounds, source)
    except ValueError as error:  # Beam's checks of its own options
        raise UsageError(" ".join(str(error).split())) from None
    return pipeline


def _announce(config: Config, manner: str = "") -> None:
    if config.pseudonyms is None:
        preflight.warn_of_private_fields(config.families)
    _LOG.info("reading %s%s, writing to %s", config.input.name, manner, config.dataset)


def _runner(options: PipelineOptions) -> str:
    return str(options.view_as(StandardOptions).runner)


def _run_batches(config: Config, bounds: Bounds, options: PipelineOptions) -> int:
    try:
        from pipeline.micro_batch import loop
    except ModuleNotFoundError as missing:
        raise preflight.StartupError(
            f"--micro_batch needs the package {missing.name}: install the extra micro-batch"
        ) from None
    _announce(config, " in batches")
    try:
        return loop.run(config, bounds, options)
    except preflight.StartupError:
        raise
    except Exception as error:
        # The traceback stays out of the log: it may quote a payload.
        print(
            f"error: no message can be written ({type(error).__name__}): please report it; what is "
            "not acknowledged comes back",
            file=sys.stderr,
        )
        return 1


def _pull(config: Config, source: PostgresInput, bounds: Bounds, options: PipelineOptions) -> int:
    try:
        from pipeline import pull
    except ModuleNotFoundError as missing:
        raise preflight.StartupError(
            f"--input_postgres needs the package {missing.name}: install the extra postgres"
        ) from None

    def begin_and_run() -> PipelineResult:
        result = _pipeline(config, bounds, options, run.begin()).run()
        result.wait_until_finish()
        return result

    try:
        with pull.logged(config, source) as run:
            _announce(config)
            _report_failures_once()
            # In a thread of its own: a signal that interrupts a query is taken for its failure.
            result = ThreadPoolExecutor(max_workers=1).submit(begin_and_run).result()
            if result.state != PipelineState.DONE:
                raise SourceError(f"the job ended as {result.state}: run it again")
            code = _report(config, result)
            if code == 0:
                run.succeed(metrics.counters(result.metrics()))
        return code
    except _StopRequested:
        _leave(config, None)


def _run(config: Config, pipeline: beam.Pipeline, runner: str) -> int:
    _announce(config)
    if runner == DATAFLOW_RUNNER:
        result = pipeline.run()
        _LOG.info("submitted as %s: it runs on without this process", _job(result))
        return 0
    _report_failures_once()
    result = None
    try:
        result = pipeline.run()
        result.wait_until_finish()
    except _StopRequested:
        _leave(config, result)
    except (GoogleAPICallError, RetryError) as error:
        # Our steps retry during outages: this is the direct runner's own pull.
        print(
            f"error: the direct runner gives up ({type(error).__name__}): run it again when "
            f"{config.input.name} answers",
            file=sys.stderr,
        )
        return 1
    return _report(config, result)


def _report_failures_once() -> None:
    """A failure in a worker is raised again by the run."""
    logging.getLogger("apache_beam.runners").setLevel(logging.CRITICAL)


def _job(result: PipelineResult) -> str:
    try:
        return f"job {result.job_id()}"
    except Exception:  # a template has none, and its result cannot say so
        return "a template"


def _leave(config: Config, result: PipelineResult | None) -> NoReturn:
    """Stops a local runner and exits: for a stream that is success, else a failure.

    The direct runner's thread may block in a pull of up to 30 seconds without messages that cannot
    be interrupted; it gets a moment to finish its writes.
    """
    if result is not None:
        cancel = threading.Thread(target=result.cancel, daemon=True)
        cancel.start()
        cancel.join(_STOP_SECONDS)
    is_bounded = not isinstance(config.input, SubscriptionInput)
    if is_bounded:
        print("error: interrupted before the end of the input: run it again", file=sys.stderr)
    _LOG.info("stopped")
    logging.shutdown()
    os._exit(1 if is_bounded else 0)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _StopRequested


def _report(config: Config, result: PipelineResult) -> int:
    """Logs the counters of a bounded run; the direct runner keeps those of one bundle only."""
    if isinstance(config.input, SubscriptionInput):
        return 0
    counters = metrics.counters(result.metrics())
    for name, value in counters.items():
        _LOG.info("%s: %d", name, value)
    lost = counters.get(metrics.DEAD_LETTER_ROWS_REFUSED, 0)
    if lost and config.dead_letter_topic is None:
        print(
            f"error: BigQuery rejected {lost} dead letters: run again with --dead_letter_topic",
            file=sys.stderr,
        )
        return 1
    return 0


def _help() -> str:
    parser = arguments.Parser(
        prog="python -m pipeline.main",
        description="Streams exam events into BigQuery. All options of Apache Beam work too.",
    )
    ExamEventsOptions._add_argparse_args(parser)
    return parser.format_help()


def _set_up_logging() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("pipeline", "transforms"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("google.auth._default").setLevel(logging.ERROR)  # preflight says it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
