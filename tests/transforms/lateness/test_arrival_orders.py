"""Every order in which the six messages of a session can arrive."""

import pytest

from ddl import check as checks
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from tests.transforms.lateness import streams
from tests.transforms.lateness.sessions import (
    expected_status,
    in_every_order,
    rounds,
    with_two_starts,
    without_a_start,
)
from transforms.lateness.rule import EventType

# With hundreds of keys in one TestStream, Prism now and then hands an element of one key over after
# those of the next step.
ATTEMPTS_ON_PRISM = 3


def is_start(member):
    return member.event.event_type is EventType.SESSION_START


def expected(session, wait_over_after=None):
    """message_id to the status that the stream can know, given the starts that had arrived.

    An event that comes before any start is held until the first start comes, or until the wait is
    over, whichever is first.
    """
    first_start = next((n for n, member in enumerate(session) if is_start(member)), len(session))
    statuses = {}
    for number, member in enumerate(session):
        waited_in_vain = wait_over_after is not None and wait_over_after <= first_start
        judged_at = number if waited_in_vain else max(number, first_start)
        seen = session[: judged_at + 1]
        statuses[member.message.message_id] = expected_status(member.event, seen)
    return statuses


@pytest.mark.parametrize("make", [with_two_starts, without_a_start])
def test_the_flag_is_right_given_the_starts_that_had_arrived(make, engine, tmp_path, monkeypatch):
    sessions = in_every_order(make, "session")
    wanted = {
        message_id: status
        for session in sessions
        for message_id, status in expected(session).items()
    }

    def judge():
        stream = streams.Stream(engine)
        for number, members in enumerate(rounds(sessions), start=1):
            stream.arrive(members, second=number)
        stream.let_the_wait_end()
        stream.end()
        return streams.judge_stream(stream, tmp_path / "rows", monkeypatch)[0]

    assert_statuses(engine, judge, wanted)


def assert_statuses(engine, judge, wanted):
    """The rows have these statuses, by message_id; on Prism at one of several attempts."""
    attempts = ATTEMPTS_ON_PRISM if "--runner=PrismRunner" in engine.options else 1
    for _ in range(attempts):
        rows = judge()
        statuses = {row["message_id"]: row["late_status"] for row in rows}
        assert len(rows) == len(wanted)
        if statuses == wanted:
            return
    wrong = {key: status for key, status in statuses.items() if status != wanted[key]}
    pytest.fail(f"{len(wrong)} of {len(wanted)} differ: {wrong}")


def judge_with_a_wait_that_ends(sessions, engine, tmp_path, monkeypatch):
    """The rows of sessions whose fifth message comes after the wait is over."""
    stream = streams.Stream(engine)
    for number, members in enumerate(rounds(sessions), start=1):
        stream.arrive(members, second=number)
        if number == 4:
            stream.let_the_wait_end()
    stream.end()
    return streams.judge_stream(stream, tmp_path / "rows", monkeypatch)[0]


def test_what_waits_longer_than_the_hold_is_unknown(engine, tmp_path, monkeypatch):
    sessions = in_every_order(with_two_starts, "session")
    wanted = {
        message_id: status
        for session in sessions
        for message_id, status in expected(session, wait_over_after=4).items()
    }
    assert "UNKNOWN" in wanted.values()
    assert_statuses(
        engine,
        lambda: judge_with_a_wait_that_ends(sessions, engine, tmp_path, monkeypatch),
        wanted,
    )


COLUMNS = (
    "event_type, client_ts, is_late_submission, late_status, late_by_seconds, deadline_ts, "
    "deadline_source"
)


@pytest.mark.parametrize("engine", ["direct"], indirect=True)
@pytest.mark.parametrize("make", [with_two_starts, without_a_start])
def test_the_warehouse_gives_one_answer_for_every_order(
    make, engine, applied, tmp_path, monkeypatch
):
    sessions = in_every_order(make, "session")
    rows = judge_with_a_wait_that_ends(sessions, engine, tmp_path, monkeypatch)
    table = applied.dataset.table("events_fact")
    for first in range(0, len(rows), 500):
        assert applied.client.insert_rows_json(table, rows[first : first + 500]) == []

    def query(sql):
        return [tuple(row.values()) for row in applied.client.query(sql).result()]

    answers = query(
        f"""SELECT COUNT(*) FROM (
            SELECT TO_JSON_STRING(ARRAY_AGG(STRUCT({COLUMNS}) ORDER BY client_ts)) AS answer
            FROM `{applied.dataset}.events` GROUP BY session_id)
        GROUP BY answer"""
    )
    assert answers == [(len(sessions),)]

    truth = {
        member.message.message_id: expected_status(member.event, session)
        for session in sessions
        for member in session
    }
    kept = [row for row in rows if row["message_id"].endswith("/0")]
    changed = sum(row["late_status"] != truth[row["message_id"]] for row in kept)
    [check] = [c for c in checks.checks(applied.dataset) if c.name == "lateness_changed"]
    found = checks.count(applied.client, check, EARLIEST_DATE, LATEST_DATE)
    assert found == ({"later_start": changed} if changed else {})
