"""Late submissions of an exam log: sessions of 180 minutes, known from session_start alone.

test_import.py compares the warehouse's answer by session, question and test; here it is by
student, and the pipeline's own answer for lines in any order.
"""

import collections
import json
import random
import subprocess
import sys

import apache_beam as beam

from schemas import coders
from schemas.dead_letter import DeadLetter
from schemas.lateness import LatenessResult
from schemas.message import Message
from tests.scenarios.real_log import oracle
from tests.scenarios.real_log.conftest import ROOT
from tests.transforms.builders import BOUNDS
from tests.transforms.lateness.settings import LATENESS, lookups
from tests.transforms.lateness.streams import RUN, Append
from transforms.lateness.judge import JudgeLateness
from transforms.lateness.steps import SessionElement
from transforms.steps import ValidateEvents


def late_by_student(exam):
    """Students with late submissions, by the independent computation."""
    sessions = oracle.session_summary(exam)
    return {row["student_id"]: n for row in sessions if (n := row["late_submissions"])}


def test_the_warehouse_has_the_late_submissions_of_each_student(imported, exam):
    late = imported.rows(
        """SELECT student_id, COUNT(*) AS n FROM `{dataset}.events`
        WHERE is_late_submission GROUP BY student_id"""
    )
    assert {row["student_id"]: row["n"] for row in late} == late_by_student(exam)
    stored = imported.rows(
        "SELECT COUNT(*) AS n FROM `{dataset}.events_fact` WHERE is_late_submission"
    )
    assert stored == [{"n": sum(late_by_student(exam).values())}]


def test_shuffled_lines_give_the_same_late_submissions(log_file, exam, tmp_path):
    exported = tmp_path / "events.jsonl"
    command = [sys.executable, "-m", "local_runner", "import", str(log_file.path)]
    command.append(f"--output={exported}")
    start = f"--exam_start={exam.start.isoformat()}"
    subprocess.run([*command, start], cwd=ROOT, check=True, capture_output=True)
    payloads = exported.read_bytes().splitlines()
    random.Random(20260302).shuffle(payloads)
    coders.register([Message, DeadLetter, LatenessResult, SessionElement, RUN.family.valid_event])
    with beam.Pipeline("FnApiRunner") as pipeline:
        events, _ = (
            pipeline
            | beam.Impulse()
            | beam.FlatMap(lambda _: messages(payloads, exam.start)).with_output_types(Message)
            | ValidateEvents(RUN, BOUNDS)
        )
        judged, _ = events | JudgeLateness(RUN, LATENESS, lookups())
        _ = judged | beam.Flatten() | beam.ParDo(Append(str(tmp_path / "rows")))
    late = collections.Counter()
    with (tmp_path / "rows").open() as rows:
        judgements = [json.loads(row) for row in rows]
    for row in judgements:
        late[row["student_id"]] += row["late_status"] == "LATE"
    assert len(judgements) == len(payloads)
    assert +late == late_by_student(exam)


def messages(payloads, published):
    for number, payload in enumerate(payloads):
        yield Message(payload=payload, message_id=str(number), publish_time=published, source="log")
