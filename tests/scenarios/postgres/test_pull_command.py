"""``python -m pipeline.main --input_postgres`` as its user runs it: real database, emulators."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid

import pytest
from sqlalchemy.engine import make_url

from gcp.environments import DATABASE_URL
from pipeline import reconcile
from tests.support.commands import run
from tests.support.waiting import PATIENCE_SECONDS

FAMILIES = "exam_event,dimension_change,session_change"
RUNS = "SELECT status, records_processed AS n FROM {dataset}.etl_job_status ORDER BY created_at"
SENT = """SELECT COUNT(DISTINCT message_id) AS n FROM (
    SELECT message_id FROM {dataset}.events_fact
    UNION ALL SELECT message_id FROM {dataset}.dimension_changes_fact
    UNION ALL SELECT message_id FROM {dataset}.session_changes_fact
    UNION ALL SELECT message_id FROM {dataset}.dead_letters)"""
ANSWERS = """SELECT answer, late_status, is_correct_answer FROM {dataset}.events
    WHERE event_type LIKE 'answer%' ORDER BY client_ts, answer"""
LETTERS = "SELECT error_kind, error_field FROM {dataset}.dead_letters ORDER BY error_field"
IN_TIME, TOO_LATE = "2026-03-02 10:05:00+00", "2026-03-02 10:50:00+00"


def pull(applied, *options):
    return run("--input_postgres", f"--dataset={applied.dataset}", *options)


def pulled(applied, *options):
    done = pull(applied, *options)
    assert done.returncode == 0, done.stderr
    return done


def refused(code, *arguments):
    done = run("--input_postgres", *arguments)
    assert done.returncode == code, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.stderr.strip().endswith(line)
    return line


def test_pulls_give_facts_once_and_follow_what_changes(school, applied, rows_of, capsys):
    school.execute(
        "INSERT INTO students VALUES ('s2', 'Sue', 'u@example.com', 'school-1', 8, 't1')"
    )
    school.answer(1, "B", IN_TIME)
    school.answer(2, "C", TOO_LATE)
    school.answer(3, "x" * 9_000)
    school.answer(4, at="infinity")
    school.answer(5, at="20000-01-01 00:00:00+00")
    school.execute("INSERT INTO submissions VALUES ('s1', 'test-1', '2026-03-02 10:55:00+00')")
    pulled(applied)
    assert [tuple(row.values()) for row in rows_of(ANSWERS)] == [
        ("B", "ON_TIME", True),
        ("C", "LATE", False),
    ]
    assert [tuple(row.values()) for row in rows_of(LETTERS)] == [
        ("schema_violation", "answer"),
        ("schema_violation", "client_ts"),
        ("schema_violation", "client_ts"),
    ]
    # Five answers, a submission, a session and its expiry, and five rows of dimensions.
    assert rows_of(SENT) == [{"n": 5 + 1 + 2 + 5}]

    pulled(applied)
    assert rows_of(SENT) == [{"n": 13}]
    assert rows_of(RUNS)[-1] == {"status": "completed", "n": 0}

    school.execute("UPDATE sessions SET expiry_time = '2026-03-02 11:00:00+00'")
    school.execute("DELETE FROM students WHERE student_id = 's2'")
    pulled(applied)
    assert [row["late_status"] for row in rows_of(ANSWERS)] == ["ON_TIME", "ON_TIME"]
    quick = "SELECT DISTINCT late_status FROM {dataset}.events_fact WHERE answer = 'C'"
    assert rows_of(quick) == [{"late_status": "LATE"}]
    gone = "SELECT student_id FROM {dataset}.students_dim WHERE is_current AND is_deleted"
    assert rows_of(gone) == [{"student_id": "s2"}]

    sent = rows_of(SENT)[0]["n"]
    arguments = [f"--dataset={applied.dataset}", f"--event_family={FAMILIES}"]
    assert reconcile.main([*arguments, f"--expected={sent}"]) == 0, capsys.readouterr()
    assert reconcile.main([*arguments, f"--expected={sent + 1}"]) == 1


def test_a_full_pull_reports_deleted_rows_and_none_names_a_student(school, applied, rows_of):
    for student in ("sam-1", "sue-2", "una-3"):
        school.execute(f"INSERT INTO students VALUES ('{student}', 'N', 'e', 'school-1')")
    for answer in range(5):
        school.answer(answer)
    school.execute("INSERT INTO submissions VALUES ('s1', 'test-1', now(), 'completed')")
    school.execute("INSERT INTO sessions VALUES ('bare', NULL, NULL, NULL, now())")
    pulled(applied)
    school.execute("DELETE FROM answers WHERE answer_id < 2; DELETE FROM submissions")
    school.execute("DELETE FROM sessions WHERE session_id = 'bare'")
    school.execute("DELETE FROM students WHERE student_id > 'sb'")
    school.answer(7)
    done = pulled(applied, "--full")
    for line in ("2 rows of answers", "1 rows of submissions", "1 rows of sessions"):
        assert f"{line} are deleted: their events stay" in done.stderr
    assert "2 students are deleted, and stay in the warehouse until" in done.stderr
    assert not any(name in done.stderr for name in ("sam-1", "sue-2", "una-3"))
    gone = "SELECT student_id FROM {dataset}.students_dim WHERE is_current AND is_deleted"
    assert [row["student_id"] for row in rows_of(f"{gone} ORDER BY 1")] == ["sue-2", "una-3"]
    last = "SELECT TO_JSON_STRING(details) AS d FROM {dataset}.etl_metadata"
    ended = "WHERE details IS NOT NULL ORDER BY finished_at DESC LIMIT 1"
    details = json.loads(rows_of(f"{last} {ended}")[0]["d"])
    assert details["deleted"] == {"answers": 2, "submissions": 1, "sessions": 1}
    done = pulled(applied, "--event_family=exam_event")
    assert "deleted" not in done.stderr


@pytest.fixture
def reader(school, monkeypatch):
    """Reads as a role that has SELECT only, and those answers for which an expression is true."""
    role = f"reader_{uuid.uuid4().hex[:8]}"
    school.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'read-only'")
    school.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    school.execute("ALTER TABLE answers ENABLE ROW LEVEL SECURITY")
    url = make_url(school.url).set(username=role, password="read-only")  # noqa: S106
    monkeypatch.setenv(DATABASE_URL, url.render_as_string(hide_password=False))
    yield lambda expression: school.execute(f"CREATE POLICY p ON answers USING ({expression})")
    school.execute(f"DROP OWNED BY {role}")
    school.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("number", "code", "status"), [(signal.SIGKILL, -9, "running"), (signal.SIGTERM, 1, "failed")]
)
def test_a_pull_that_is_ended_is_run_again(school, reader, applied, rows_of, number, code, status):
    reader("pg_sleep(0.1)::text IS NOT NULL")
    for answer in range(50):
        school.answer(answer)
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.main", "--input_postgres", f"--dataset={applied.dataset}"],
        env=dict(os.environ),
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    with school.connect(autocommit=True) as connection:
        sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        while not connection.execute(sleeping).fetchall():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    process.send_signal(number)
    _, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, log.decode()
    assert [row["status"] for row in rows_of(RUNS)] == [status]
    school.execute("ALTER TABLE answers DISABLE ROW LEVEL SECURITY")
    pulled(applied, "--source_rows_per_range=20")
    assert [row["status"] for row in rows_of(RUNS)] == [status, "completed"]
    n = "SELECT COUNT(*) AS n FROM {dataset}.events WHERE event_type LIKE 'answer%'"
    assert rows_of(n) == [{"n": 50}]


def test_a_query_that_fails_within_the_run_is_one_line(school, reader, applied, rows_of):
    school.answer(1)
    reader("1 / (answer_id - 1) = 0")
    assert refused(1, f"--dataset={applied.dataset}") == "error: division by zero"
    logged = "SELECT status, error_message FROM {dataset}.etl_job_status"
    assert rows_of(logged) == [{"status": "failed", "error_message": "division by zero"}]


def test_a_backfill_moves_nothing_and_full_reads_all(school, applied, rows_of):
    school.answer(1, "A", IN_TIME)
    school.answer(2, "B", TOO_LATE)
    pulled(applied, "--start=2026:03:02 10", "--end=2026-03-02T10:30:00Z")
    assert [row["answer"] for row in rows_of(ANSWERS)] == ["A"]
    done = pulled(applied)
    assert "no pull is known to have finished before" in done.stderr
    assert [row["answer"] for row in rows_of(ANSWERS)] == ["A", "B"]
    pulled(applied, "--full", "--event_family=exam_event")
    assert [row["n"] for row in rows_of(RUNS)] == [2, 7, 3]
    done = pulled(applied)
    assert "read other tables, columns or event families" in done.stderr


def test_what_a_person_gets_wrong_is_one_line(school, applied, monkeypatch, tmp_path):
    dataset = f"--dataset={applied.dataset}"
    assert "--input" in refused(2, dataset, "--input=events.jsonl")
    assert "no orders" in refused(2, dataset, "--event_family=orders")
    assert "--full" in refused(2, dataset, "--full", "--start=2026-03-02")
    assert "--start" in refused(2, dataset, "--start=2026-03-02", "--end=2026-03-01")
    assert "nowhere.toml" in refused(2, dataset, "--source_mapping=nowhere.toml")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[answers]\ntable = "user_answers"\n')
    assert "user_answers" in refused(1, dataset, f"--source_mapping={mapping}")
    url = make_url(school.url).set(password="wrong")  # noqa: S106
    monkeypatch.setenv(DATABASE_URL, url.render_as_string(hide_password=False))
    assert "password authentication failed" in refused(1, dataset)
    monkeypatch.delenv(DATABASE_URL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    assert "DATABASE_URL is not set" in refused(1, dataset)
