"""The bounded path: a session at once, whatever the order of its lines."""

import json
import random
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pytest

from schemas import coders, metrics
from schemas.dead_letter import DeadLetter
from schemas.exam_event.event import EventType, ValidExamEvent
from schemas.lateness import LatenessResult
from schemas.message import Message
from tests.lateness.sessions import (
    accepted,
    expected_status,
    in_every_order,
    with_two_starts,
    without_a_start,
)
from tests.lateness.settings import LATENESS, lookups
from tests.lateness.streams import RUN, Append
from transforms.lateness import sessions
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.rule import start_record
from transforms.lateness.sessions import JudgeSessionFn
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


class Starts:
    """Stands for the warehouse, and for what it was asked."""

    def __init__(self, known):
        self.known = known
        self.questions = []

    def find(self, waiting):
        seen = {name: session.start for name, session in waiting.items()}
        self.questions.append((seen, sum(len(session.events) for session in waiting.values())))
        return {name: start or self.known.get(name) for name, start in seen.items()}


def answers(session_id, number):
    return [
        SessionElement(event=accepted(session_id, f"a{n}", EventType.ANSWER_SUBMIT, 50))
        for n in range(number)
    ]


def judge_sessions(starts, *sessions):
    """The statuses given by each call, and those at the end of the bundle."""
    fn = JudgeSessionFn(RUN, "JudgeLateness", lookups().settings, starts)
    fn.setup()
    fn.start_bundle()
    given = [[judged[1].late_status for judged in fn.process(session)] for session in sessions]
    return given, [output.value[1].late_status for output in fn.finish_bundle()]


def record(seconds):
    return start_record(
        accepted("any", "start", EventType.SESSION_START, 0, session_duration_seconds=seconds).event
    )


def test_one_question_does_for_the_sessions_of_a_bundle():
    starts = Starts({"known": record(40)})
    only_a_start = ("started", [SessionElement(start=record(90))])
    given, left = judge_sessions(
        starts, ("known", answers("known", 2)), only_a_start, ("unknown", answers("unknown", 1))
    )
    assert given == [[], [], []]
    assert left == ["LATE", "LATE", "UNKNOWN"]
    asked = {"known": None, "started": record(90), "unknown": None}
    assert starts.questions == [(asked, 3)]


def test_sessions_do_not_wait_for_the_end_of_a_bundle_in_any_number(monkeypatch):
    size = len(answers("any", 1)[0].event.message.payload)
    monkeypatch.setattr(sessions, "MAX_WAITING_BYTES", 3 * size - 1)
    starts = Starts({"a": record(40), "c": record(90)})
    own = SessionElement(start=record(40))
    given, left = judge_sessions(
        starts,
        ("a", answers("a", 2)),
        ("b", [*answers("b", 5), own]),
        ("c", answers("c", 1)),
    )
    assert given == [[], ["LATE"] * 6, []]
    assert left == ["LATE", "ON_TIME"]
    assert [(list(asked), events) for asked, events in starts.questions] == [
        (["a", "b"], 3),
        (["b"], 3),
        (["b", "c"], 2),
    ]
    assert all(asked["b"] == record(40) for asked, _ in starts.questions)


_ONE_SESSION = """
import re
from pathlib import Path

from schemas.exam_event.event import EventType
from tests.lateness.sessions import accepted
from tests.lateness.settings import lookups
from tests.lateness.streams import RUN
from tests.transforms.builders import accept
from transforms.lateness.sessions import JudgeSessionFn
from transforms.lateness.steps import SessionElement

event = accepted("s", "a", EventType.ANSWER_SUBMIT, 50).event


class Group:
    def __init__(self, size):
        self.size = size

    def __iter__(self):  # its members are read anew each time, as on Dataflow
        for number in range(self.size):
            payload = b"x" * 1_000 + str(number).encode()
            yield SessionElement(event=accept(event, data=payload, message_id=str(number)))


fn = JudgeSessionFn(RUN, "JudgeLateness", lookups().settings, None)
fn.setup()
for size in (10_000, 100_000):
    fn.start_bundle()
    assert sum(1 for _ in fn.process(("s", Group(size)))) == size
    # Not ru_maxrss: a process inherits that from the one that started it.
    print(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what was resident")
def test_memory_does_not_grow_with_the_length_of_a_session():
    done = subprocess.run(
        [sys.executable, "-c", _ONE_SESSION], capture_output=True, text=True, check=True
    )
    short, long = (int(kib) / 1024 for kib in done.stdout.split())
    assert long < short + 30, f"{short:.0f} MiB, then {long:.0f} MiB"
