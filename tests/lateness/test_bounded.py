"""The bounded path: a session at once, whatever the order of its lines."""

import json
import random

import apache_beam as beam

from schemas import coders, metrics
from schemas.dead_letter import DeadLetter
from schemas.exam_event.event import ValidExamEvent
from schemas.lateness import LatenessResult
from schemas.message import Message
from tests.lateness.sessions import (
    expected_status,
    in_every_order,
    with_two_starts,
    without_a_start,
)
from tests.lateness.settings import LATENESS, lookups
from tests.lateness.streams import RUN, Append
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.steps import SessionElement


def test_every_order_of_lines_gives_what_the_whole_session_knows(tmp_path):
    sessions = [
        *in_every_order(with_two_starts, "two"),
        *in_every_order(without_a_start, "none"),
    ]
    arrivals = [member for session in sessions for member in session]
    random.Random(1).shuffle(arrivals)
    coders.register([Message, DeadLetter, LatenessResult, SessionElement, ValidExamEvent])
    pipeline = beam.Pipeline("FnApiRunner")
    judged, _ = (
        pipeline
        | beam.Create(arrivals, reshuffle=False).with_output_types(ValidExamEvent)
        | JudgeLateness(RUN, LATENESS, lookups())
    )
    _ = judged | beam.Flatten() | beam.ParDo(Append(str(tmp_path / "rows")))
    result = pipeline.run()
    result.wait_until_finish()
    rows = [json.loads(line) for line in (tmp_path / "rows").read_text().splitlines()]
    assert len(rows) == len(arrivals)
    assert {row["message_id"]: row["late_status"] for row in rows} == {
        member.message.message_id: expected_status(member.event, session)
        for session in sessions
        for member in session
    }
    counters = metrics.counters(result.metrics())
    assert counters["lateness_sent_to_session"] == sum(
        member.event.event_type in RUN.family.judged_types for member in arrivals
    )
    assert "held" not in counters
