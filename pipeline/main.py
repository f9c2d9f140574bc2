"""Runs the pipeline: ``python -m pipeline.main --help``."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)
from apache_beam.runners.runner import PipelineResult

from pipeline import graph, preflight
from pipeline.options import Config, ExamEventsOptions, UsageError, parse
from pipeline.sources import DamagedInputError
from transforms import metrics

DATAFLOW_RUNNER = "DataflowRunner"
_STOP_SECONDS = 5.0
_LOG = logging.getLogger("pipeline")


class _StopRequested(Exception):  # noqa: N818 - it is no error
    """The process was asked to stop."""


def main(argv: Sequence[str]) -> int:
    """Runs the pipeline to its end, or until it is told to stop; gives the exit code."""
    if "--help" in argv or "-h" in argv:
        print(_help())
        return 0
    _set_up_logging()
    try:
        config, options = parse(argv)
        if options.view_as(GoogleCloudOptions).template_location is None:
            config = preflight.check(config)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except preflight.StartupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return _run(config, options)


def _run(config: Config, options: PipelineOptions) -> int:
    pipeline = beam.Pipeline(options=options)
    graph.build(pipeline, config)
    _LOG.info("reading %s, writing to %s", config.source, config.dataset)
    if options.view_as(StandardOptions).runner == DATAFLOW_RUNNER:
        pipeline.run()
        _LOG.info("submitted: the job runs on without this process")
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    result = None
    try:
        result = pipeline.run()
        result.wait_until_finish()
    except _StopRequested:
        _leave(result)
    except DamagedInputError as error:
        text, _, _ = str(error).partition(" [while running")  # Beam's addition
        print(f"error: {text}", file=sys.stderr)
        return 1
    if config.input is not None:
        _report(result)
    return 0


def _leave(result: PipelineResult | None) -> NoReturn:
    """Stops a local runner and ends the process.

    The direct runner's thread may sit in a pull of up to 30 seconds that brings nothing, and
    nothing can interrupt it; it gets a moment to finish what it is writing.
    """
    if result is not None:
        cancel = threading.Thread(target=result.cancel, daemon=True)
        cancel.start()
        cancel.join(_STOP_SECONDS)
    _LOG.info("stopped")
    logging.shutdown()
    os._exit(0)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _StopRequested


def _report(result: PipelineResult) -> None:
    """Tells the counters. Not for the direct runner, which keeps those of one bundle only."""
    for name, value in metrics.counters(result.metrics()).items():
        _LOG.info("%s: %d", name, value)


def _help() -> str:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.main",
        description="Streams exam events into BigQuery. All options of Apache Beam work too.",
    )
    ExamEventsOptions._add_argparse_args(parser)
    return parser.format_help()


def _set_up_logging() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("pipeline", "transforms"):
        logging.getLogger(name).setLevel(logging.INFO)
    # What fails in a worker comes back as the exception of the run; said once is enough.
    logging.getLogger("apache_beam.runners").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
