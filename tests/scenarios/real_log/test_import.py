"""The whole log through the bounded pipeline: every number is as the oracle has it."""

import pytest

from ddl import statements
from gcp.dataset import Dataset
from tests.scenarios.real_log import oracle
from tests.scenarios.real_log.comparing import same_rows

SUMMARIES = {
    "session_summary": (oracle.session_summary, "session_id"),
    "question_summary": (oracle.question_summary, "question_id"),
    "test_summary": (oracle.test_summary, "test_id"),
}
QUERIES = {query.name for query in statements.queries(Dataset("local-exams", "names"))}
OTHER_VIEWS = sorted(
    name for name in QUERIES if f"{name}_between" in QUERIES and name not in SUMMARIES
)


def test_every_line_and_session_is_a_fact(imported, exam, log_file):
    assert len(exam.answers) + exam.unparsable == log_file.lines
    assert len(exam.sessions()) == log_file.students
    assert imported.done.returncode == 0, imported.done.stderr
    assert len(imported.done.stderr.splitlines()) == exam.unparsable
    facts = len(exam.answers) + 3 * log_file.students
    assert f"{facts:,} facts and 0 dead letters" in imported.done.stdout
    assert imported.rows("SELECT * FROM `{dataset}.dead_letters`") == []
    for table in ("events_fact", "events"):
        [counts] = imported.rows(
            f"""SELECT COUNT(*) AS n, COUNT(DISTINCT event_id) AS events,
                COUNT(DISTINCT message_id) AS messages FROM `{{dataset}}.{table}`"""
        )
        assert counts == {"n": facts, "events": facts, "messages": facts}


def test_every_event_says_what_its_line_says(imported, exam):
    want = list(oracle.events(exam))
    got = imported.rows(f"SELECT {', '.join(want[0])} FROM `{{dataset}}.events`")
    same_rows(got, want, "student_id", "client_ts", "event_type", "question_id", "attempt_no")


@pytest.mark.parametrize("view", SUMMARIES)
def test_a_summary_is_what_the_oracle_says(view, imported, exam):
    check(view, imported.rows(f"SELECT * FROM `{{dataset}}.{view}`"), exam)
    check(view, imported.rows(f"SELECT * FROM {between(view, exam.dates())}"), exam)


@pytest.mark.parametrize("view", SUMMARIES)
def test_a_day_has_the_sessions_that_began_on_it(view, imported, exam):
    """Some clocks ran before the exam was opened: those sessions belong to its eve, whole."""
    eve, day = exam.dates()
    for date in (eve, day):
        begun = exam.begun_on(date)
        assert 0 < len(begun.sessions()) < len(exam.sessions())
        check(view, imported.rows(f"SELECT * FROM {between(view, (date, date))}"), begun)


@pytest.mark.parametrize("view", OTHER_VIEWS)
def test_between_the_dates_of_the_exam_is_the_view(view, imported, exam):
    [counts] = imported.rows(
        f"""WITH
          whole AS (SELECT TO_JSON_STRING(t) AS text FROM `{{dataset}}.{view}` AS t),
          part AS (SELECT TO_JSON_STRING(t) AS text FROM {between(view, exam.dates())} AS t),
          both AS (SELECT * FROM whole INTERSECT DISTINCT SELECT * FROM part)
        SELECT
          (SELECT COUNT(*) FROM whole) AS whole,
          (SELECT COUNT(*) FROM part) AS part,
          (SELECT COUNT(*) FROM both) AS both"""
    )
    assert counts["whole"] == counts["part"] == counts["both"]


def between(view, dates):
    first, last = dates
    return f"`{{dataset}}.{view}_between`(DATE '{first}', DATE '{last}')"


def check(view, got, exam):
    rows, key = SUMMARIES[view]
    want = [dict(row) for row in rows(exam)]
    for row in want:
        if "mean_duration_seconds" in row:
            # The sum of a thousand floats depends on the order in which an engine adds them.
            mean = pytest.approx(row["mean_duration_seconds"], rel=1e-12, abs=0)
            row["mean_duration_seconds"] = mean
    same_rows(got, want, key)
