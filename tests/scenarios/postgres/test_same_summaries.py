"""An exam log in the operational tables, pulled and captured, and imported as events: the same."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_runner.traffic import exam_log
from pipeline.counts import Counts
from pipeline.reconcile import count
from schemas.families import FAMILIES
from tests.scenarios.postgres.conftest import FAMILIES as FAMILY_OPTION
from tests.scenarios.postgres.operational import load, write_by_the_clock
from tests.scenarios.real_log.comparing import same_rows
from tests.support import exam_logs
from tests.support.commands import run

ROOT = Path(__file__).parents[3]
# One with a wrong clock, one whose lines are out of order, three who go on after the limit.
STUDENTS = 12
STEP, RECEIVED = 10_000, "exam_events_received_total"
# An operational database does not say when a session was left.
SUMMARIES = {
    "session_summary": ("* EXCEPT (session_end_time, is_complete)", "session_id"),
    "question_summary": ("*", "question_id"),
    # A sum of floats depends on the order in which an engine adds them.
    "test_summary": (
        "* EXCEPT (completed_sessions) "
        "REPLACE (ROUND(mean_duration_seconds, 6) AS mean_duration_seconds)",
        "test_id",
    ),
    "session_starts_by_hour": ("*", "hour"),
    "wrong_answers_by_question": ("*", "question_id"),
    "events": (
        "event_type, test_id, student_id, session_id, client_ts, question_id, is_correct_answer, "
        "is_late_submission, late_status, late_by_seconds, deadline_ts",
        "student_id",
        "client_ts",
        "event_type",
        "question_id",
    ),
}


@pytest.fixture(params=["small", pytest.param("whole", marks=pytest.mark.soak)])
def log(request, tmp_path):
    """A log by the clock."""
    path = tmp_path / "exam.tsv"
    if request.param == "small":
        given = exam_logs.generated(tmp_path, students=STUDENTS)
    else:
        given = exam_logs.real() if exam_logs.REAL else exam_logs.generated(tmp_path)
    write_by_the_clock(given.path, path)
    return path


@pytest.fixture
def start():
    midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - dt.timedelta(days=30)


def test_every_way_gives_the_same_summaries(
    log, start, tables, captured, machine, new_dataset, pubsub_emulator
):
    client, by_capture = machine.warehouse.client, machine.warehouse.dataset
    captured.read()
    lines = exam_log.read_log(log, start).lines
    sessions = load(tables, log.stem, start, lines)
    sent = len(lines) + 3 * sessions  # a submission, a start and an expiry

    by_pull = new_dataset()
    done = run("--input_postgres", f"--dataset={by_pull}", FAMILY_OPTION)
    assert done.returncode == 0, done.stderr
    assert counted(client, by_pull) == Counts(sent, 0, {}, 0)

    captured.read()
    machine.start(FAMILY_OPTION)
    for step in (*range(STEP, sent, STEP), sent):  # each is waited for as long
        machine.wait_until(lambda step=step: machine.metrics().get(RECEIVED, 0) >= step)
    machine.wait_until(lambda: counted(client, by_capture).accounted >= sent)
    assert machine.stop() == 0
    assert counted(client, by_capture) == Counts(sent, 0, {}, 0)

    imported = new_dataset()
    import_as_events(log, start, imported, pubsub_emulator.host)
    for view, (columns, *key) in SUMMARIES.items():
        sql = f"SELECT {columns} FROM `{{}}.{view}`"
        if view == "events":
            sql += " WHERE event_type != 'session_end'"
        expected, pulled, changes = (
            [dict(row.items()) for row in client.query(sql.format(dataset)).result()]
            for dataset in (imported, by_pull, by_capture)
        )
        assert expected
        same_rows(pulled, expected, *key)
        same_rows(changes, expected, *key)
        if view == "session_summary":
            assert 0 < sum(row["late_submissions"] > 0 for row in expected) < sessions


def counted(client, dataset):
    families = [FAMILIES["exam_event"], FAMILIES["session_change"]]
    counts = count(client, dataset, families=families)
    return Counts(counts.facts, counts.duplicates, counts.dead_letters, counts.conflicts)


def import_as_events(log, start, dataset, pubsub_host):
    command = [sys.executable, "-m", "local_runner", "import", str(log), f"--dataset={dataset}"]
    done = subprocess.run(
        [*command, f"--exam_start={start.isoformat()}"],
        cwd=log.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PUBSUB_EMULATOR_HOST": pubsub_host},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
