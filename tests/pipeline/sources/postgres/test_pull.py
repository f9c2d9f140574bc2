"""No row is missed, whatever transactions do."""

import dataclasses
import datetime as dt
import logging
import uuid

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from pipeline.sources.postgres.plan import PullState, why_all
from pipeline.sources.postgres.queries import SINCE
from tests.pipeline.sources.postgres.pulling import Puller

T0 = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def test_the_first_pull_reads_everything_and_the_next_what_is_new(school, puller):
    school.answer(1)
    assert puller.keys() == ["1", "q1", "s1", "session-1", "t1", "test-1"]
    assert puller.keys() == []
    school.answer(2)
    school.execute("UPDATE students SET grade = 8")
    assert puller.keys() == ["2", "s1"]


def test_a_pull_that_is_not_finished_is_read_again(school, puller):
    puller.keys()
    school.answer(1)
    before = puller.state
    assert puller.keys("answers") == ["1"]
    puller.state = before  # as if it had been killed: nothing was stored
    assert puller.keys("answers") == ["1"]


def test_a_row_that_commits_late_is_read(school, puller):
    slow = school.connect()
    school.answer(1, connection=slow)
    school.answer(2)
    assert puller.keys("answers") == ["2"]
    school.answer(3)
    assert "3" in puller.keys("answers")
    slow.commit()
    assert "1" in puller.keys("answers")
    assert puller.keys("answers") == []


def test_a_row_of_a_savepoint_that_commits_late_is_read(school, puller):
    slow = school.connect()
    school.answer(1, connection=slow)
    with slow.transaction():
        school.answer(2, connection=slow)
    with slow.transaction(force_rollback=True):
        school.answer(3, connection=slow)
    school.answer(4)
    puller.keys()
    slow.commit()
    assert [key for key in puller.keys("answers") if key != "4"] == ["1", "2"]


def test_a_prepared_transaction_is_read_once_it_commits(school, puller):
    name = uuid.uuid4().hex
    two_phase = school.connect(autocommit=True)
    two_phase.execute("BEGIN")
    school.answer(1, connection=two_phase)
    two_phase.execute(f"PREPARE TRANSACTION '{name}'")
    school.answer(2)
    puller.keys()
    puller.keys()
    two_phase.execute(f"COMMIT PREPARED '{name}'")
    assert "1" in puller.keys("answers")


def test_frozen_rows_are_read_by_a_full_pull_and_not_again(school, puller):
    school.answer(1)
    school.execute("VACUUM FREEZE answers")
    assert puller.keys("answers") == ["1"]
    assert puller.keys("answers") == []
    assert puller.keys("answers", full=True) == ["1"]


@pytest.mark.parametrize(
    ("before_now", "is_new"),
    [
        (0, True),
        (100, True),  # since
        (101, False),
        (2**31 - 5, False),
        (2**31 + 5, False),  # frozen: its age is negative
        (2**32 - 5, False),
    ],
)
def test_the_age_of_a_transaction_says_whether_its_rows_are_new(school, before_now, is_new):
    epoch = 2**32  # so that no id is below 0
    with psycopg.connect(school.url) as connection:
        [now] = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        raw = (epoch + now - before_now) % epoch
        rows = SQL("(SELECT {}::text::xid AS xmin) AS t").format(Literal(raw))
        condition = SINCE.format(since=Literal(epoch + now - 100))
        found = connection.execute(SQL("SELECT 1 FROM {} WHERE {}").format(rows, condition))
        assert (found.fetchone() is not None) is is_new


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"system_identifier": "2"}, "another one"),
        ({"timeline": 2}, "restored or promoted"),
        ({"reads": "else"}, "other tables, columns or event families"),
        ({"next_since": 2_001}, "ahead"),
        ({"next_since": 2_000}, None),
    ],
)
def test_everything_is_read_where_transaction_ids_mean_something_else(changed, reason):
    now = PullState(1_000, "1", 1, T0)
    last = PullState(**{"next_since": 900, **now_fields(now), **changed})
    said = why_all(last, now, 2_000)
    assert said is None if reason is None else reason in said


def now_fields(state):
    return {
        "system_identifier": state.system_identifier,
        "timeline": state.timeline,
        "standing_since": state.standing_since,
    }


def test_everything_is_read_after_two_billion_transactions():
    now = PullState(2**31 + 100, "1", 1, T0)
    last = PullState(100, "1", 1, T0)
    assert "too many" in why_all(last, now, 2**31 + 100)
    assert why_all(last, now, 2**30) is None
    assert why_all(None, now, 2**30)


def test_a_state_ahead_of_the_database_reads_everything_and_says_so(school, puller, caplog):
    school.answer(1)
    puller.keys()
    ahead = puller.state.next_since + 10_000
    puller.state = dataclasses.replace(puller.state, next_since=ahead)
    with caplog.at_level(logging.INFO):
        assert puller.keys("answers") == ["1"]
    assert "reading all rows: the last pull lies ahead" in caplog.text
    assert puller.keys("answers") == []


def test_the_state_survives_as_json(school, puller):
    puller.keys()
    details = puller.state.details()
    assert PullState.of(details | {"bytes": 1}) == puller.state
    assert set(details) == set(vars(puller.state))


def test_a_transaction_that_stays_open_for_hours_is_warned_about(school, puller, caplog):
    forgotten = school.connect()
    school.answer(1, connection=forgotten)
    puller.keys()
    assert "open" not in caplog.text
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=5)
    puller.state = PullState(**{**vars(puller.state), "standing_since": long_ago})
    school.answer(2)
    puller.keys()
    assert "a transaction has been open for 5 hours" in caplog.text
    assert puller.state.standing_since == long_ago


def test_an_idle_database_is_not_warned_about(school, puller, caplog):
    puller.keys()
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=5)
    puller.state = PullState(**{**vars(puller.state), "standing_since": long_ago})
    puller.keys()
    assert "open" not in caplog.text


def test_a_backfill_reads_a_window_and_moves_nothing(school, puller):
    for minute in range(5):
        school.answer(minute, at=f"2026-03-02 10:0{minute}:00+00")
    puller.keys()
    state = puller.state
    bounds = {
        "start": dt.datetime(2026, 3, 2, 10, 1, tzinfo=dt.UTC),
        "end": dt.datetime(2026, 3, 2, 10, 3, tzinfo=dt.UTC),
    }
    assert puller.keys(**bounds) == ["1", "2"]
    assert puller.last.state is None
    assert puller.state == state


@pytest.mark.parametrize("rows_per_range", [1, 3, 7, 1_000])
def test_ranges_hold_every_row_once(school, rows_per_range):
    for number in range(7):
        school.answer(number)
    puller = Puller(rows_per_range=rows_per_range)
    assert puller.keys("answers") == [str(number) for number in range(7)]


def test_ranges_of_a_key_of_two_columns(school):
    school.execute(
        "INSERT INTO students SELECT 'x' || i, '', '', '' FROM generate_series(1, 9) AS i; "
        "INSERT INTO tests VALUES ('test-2', ''), ('test-3', '')"
    )
    school.execute(
        "INSERT INTO submissions SELECT student_id, test_id, now(), 'completed' "
        "FROM students, tests"
    )
    puller = Puller(rows_per_range=4)
    assert len(puller.keys("submissions")) == len(set(puller.keys("submissions", full=True))) == 30
