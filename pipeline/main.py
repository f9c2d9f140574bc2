"""Runs the pipeline: ``python -m pipeline.main --help``."""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.runner import PipelineResult

from pipeline import graph, preflight
from pipeline.options import Config, ExamEventsOptions, UsageError, parse
from transforms import metrics

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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    pipeline = beam.Pipeline(options=options)
    graph.build(pipeline, config)
    _LOG.info("reading %s, writing to %s", config.source, config.dataset)
    result = None
    try:
        result = pipeline.run()
        result.wait_until_finish()
    except _StopRequested:
        _LOG.info("stopped")
        if result is not None:
            result.cancel()
    if result is not None:
        _report(result)
    return 0


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _StopRequested


def _report(result: PipelineResult) -> None:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
