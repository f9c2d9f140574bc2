"""Runs JudgeLateness on a TestStream and gives what comes out."""

import datetime as dt
import functools
import json
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from pipeline.sinks.insert_rows import json_row
from schemas import coders, metrics
from schemas.dead_letter import DeadLetter
from schemas.exam_event.event import ValidExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.lateness import LatenessResult
from schemas.message import Message
from tests.transforms.lateness.settings import LATENESS, TTL_SECONDS, WAIT_SECONDS, lookups
from transforms.lateness import judge
from transforms.lateness.hold import HoldForStartFn
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.rule import NO_SETTINGS
from transforms.lateness.steps import SessionElement
from transforms.rows import FactRows
from transforms.steps import RunInfo

RUN = RunInfo(family=EXAM_EVENT, pipeline_version="0")


class Append(beam.DoFn):
    """Adds judged events to a file, as their rows: a worker may be another thread or process."""

    def __init__(self, path):
        self._path = path

    def setup(self):
        self._rows = FactRows(EXAM_EVENT, "0")

    def start_bundle(self):
        self._lines = []

    def process(self, element):
        accepted, lateness = element
        row = self._rows.build(accepted, lateness, dt.datetime.now(dt.UTC))
        self._lines.append(json.dumps(json_row(self._rows.columns, row)) + "\n")

    def finish_bundle(self):
        with Path(self._path).open("a") as file:
            file.write("".join(self._lines))


def clock():
    """The processing time at which a TestStream begins; a timer is set for this + the wait."""
    return 0.0


class Stream:
    """A TestStream in the making."""

    def __init__(self, engine):
        coders.register([Message, DeadLetter, LatenessResult, SessionElement, ValidExamEvent])
        self.engine = engine
        self.events = TestStream(coder=coders.StructCoder(ValidExamEvent))
        self.events.advance_watermark_to(0)

    def arrive(self, members, second):
        """Members arrive together, at this second of event time."""
        self._second = second
        self.events.add_elements([TimestampedValue(member, second) for member in members])
        self._settle()

    def let_the_wait_end(self):
        """Processing time passes until nothing that came before is held any longer."""
        self.events.advance_processing_time(WAIT_SECONDS + 1)
        for step in range(20):  # Prism fires what is due at such a step, some of it at each
            self.events.advance_watermark_to(Timestamp(self._second, step * 10_000))
        self._settle()

    def end(self):
        """Event time passes until every session is over."""
        self.events.advance_watermark_to(2 * TTL_SECONDS).advance_watermark_to_infinity()

    def _settle(self):
        for _ in range(self.engine.steps_to_settle):
            self.events.advance_processing_time(0.001)


def judge_stream(stream, path, monkeypatch, settings=NO_SETTINGS):
    """The rows that come out, and the counters (which only Prism keeps whole)."""
    monkeypatch.setattr(judge, "HoldForStartFn", functools.partial(HoldForStartFn, clock=clock))
    path.unlink(missing_ok=True)
    pipeline = beam.Pipeline(options=PipelineOptions([*stream.engine.options, "--streaming"]))
    judged, _ = (
        pipeline
        | stream.events.with_output_types(ValidExamEvent)
        | JudgeLateness(RUN, LATENESS, lookups(settings))
    )
    _ = judged | beam.Flatten() | beam.ParDo(Append(str(path)))
    result = pipeline.run()
    result.wait_until_finish()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return rows, metrics.counters(result.metrics())
