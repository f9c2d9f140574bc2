"""Session starts of earlier batches: remembered, or asked for once."""

import contextlib
import datetime as dt
import pickle

import pytest
from google.api_core.exceptions import BadRequest, ServiceUnavailable

from gcp.dataset import Dataset
from pipeline.lookups import session_starts
from pipeline.lookups.session_starts import SessionStartCache
from schemas.lateness import StartRecord
from tests.ddl import golden
from tests.transforms.builders import accepted
from transforms.lateness.steps import WaitingSession

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
REACH = dt.timedelta(days=8)


def start(event_id="start", minutes=0, **fields):
    moment = NOON + dt.timedelta(minutes=minutes)
    return StartRecord(event_id=event_id, client_ts=moment, start_ts=moment, **fields)


def waiting(*moments, of=None, test="t1"):
    """A session with an event at each of the moments, and with the start ``of`` the run."""
    events = [accepted(client_ts=moment, test_id=test) for moment in moments]
    return WaitingSession(of, events)


class Asked:
    """Stands for the query: the starts that the warehouse has, and what it was asked."""

    def __init__(self):
        self.starts = {}
        self.questions = []
        self.failures = []

    def query(self, dataset, sessions, tests, first, last):
        self.questions.append((sorted(sessions), tests, first, last))
        if self.failures:
            raise self.failures.pop()
        return {
            name: self.starts[name]
            for name in sessions
            if name in self.starts and first - REACH <= self.starts[name].client_ts <= last + REACH
        }


@pytest.fixture
def asked(monkeypatch):
    stand_in = Asked()
    monkeypatch.setattr(session_starts, "query", stand_in.query)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return stand_in


def known(max_sessions=100):
    return SessionStartCache(Dataset("local-exams", "exams"), max_sessions)


def test_one_question_asks_for_every_session_that_is_open(asked):
    asked.starts = {"a": start()}
    later = NOON + dt.timedelta(hours=1)
    sessions = {
        "a": waiting(later, test="t2"),
        "b": waiting(NOON),
        "c": waiting(NOON + dt.timedelta(days=1), of=start("own"), test="t3"),
    }
    assert known().find(sessions) == {"a": start(), "b": None, "c": start("own")}
    assert asked.questions == [(["a", "b"], ["t1", "t2"], NOON, later)]


def test_nothing_is_asked_twice(asked):
    asked.starts = {"a": start()}
    source = known()
    for _ in range(2):
        found = source.find({"a": waiting(NOON), "b": waiting(NOON)})
        assert found == {"a": start(), "b": None}
    assert source.find({"b": waiting(of=start("came"))}) == {"b": start("came")}
    assert source.find({"b": waiting(NOON)}) == {"b": start("came")}
    assert len(asked.questions) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_earliest_start_wins_in_whatever_order_they_come(asked, order):
    copies = [start("x", minutes=1), start("y", minutes=0)]
    source = known()
    for index in order:
        source.find({"a": waiting(of=copies[index])})
    assert source.find({"a": waiting(NOON)}) == {"a": copies[1]}


def test_the_sessions_seen_last_are_kept(asked):
    source = known(max_sessions=2)
    source.find({"a": waiting(of=start("a")), "b": waiting(of=start("b"))})
    source.find({"a": waiting(NOON)})
    source.find({"c": waiting(of=start("c"))})
    found = source.find({"a": waiting(NOON), "c": waiting(NOON)})
    assert found == {"a": start("a"), "c": start("c")}
    assert asked.questions == []
    source.find({"b": waiting(NOON)})
    assert [sessions for sessions, *_ in asked.questions] == [["b"]]


def test_more_sessions_than_are_kept_are_all_answered(asked):
    source = known(max_sessions=2)
    found = source.find({f"s{n}": waiting(of=start(f"e{n}")) for n in range(10)})
    assert found == {f"s{n}": start(f"e{n}") for n in range(10)}


def test_one_clock_that_is_years_off_does_not_have_years_read(asked):
    years_ago = NOON - dt.timedelta(days=1_700)
    known().find({"a": waiting(years_ago), "b": waiting(years_ago, NOON)})
    [(sessions, _, first, last)] = asked.questions
    assert (sessions, first, last) == (["b"], NOON - dt.timedelta(days=30), NOON)


def test_a_session_that_was_too_long_ago_to_be_asked_for_is_asked_for_later(asked):
    long_ago = NOON - dt.timedelta(days=45)
    asked.starts = {"offline": start(minutes=-45 * 24 * 60)}
    source = known()
    assert source.find({"offline": waiting(long_ago), "s": waiting(NOON)})["offline"] is None
    assert source.find({"offline": waiting(long_ago)}) == asked.starts
    assert [sessions for sessions, *_ in asked.questions] == [["s"], ["offline"]]


def test_a_session_that_was_asked_for_in_a_part_of_its_time_is_asked_for_again(asked):
    long_ago = NOON - dt.timedelta(days=45)
    asked.starts = {"a": start(minutes=-45 * 24 * 60)}
    source = known()
    assert source.find({"a": waiting(long_ago, NOON)}) == {"a": None}
    assert source.find({"a": waiting(long_ago)}) == asked.starts


def test_an_outage_is_waited_out(asked):
    asked.starts = {"a": start()}
    asked.failures = [ServiceUnavailable("away"), ServiceUnavailable("away")]
    assert known().find({"a": waiting(NOON)}) == {"a": start()}
    assert len(asked.questions) == 3


@pytest.mark.parametrize(
    "failure", [BadRequest("no", errors=[{"reason": "invalidQuery"}]), LookupError("a bug")]
)
def test_what_cannot_be_asked_is_not_known_and_asked_again(asked, caplog, failure):
    asked.starts = {"a": start()}
    asked.failures = [failure]
    source = known()
    assert source.find({"a": waiting(NOON)}) == {"a": None}
    assert "not looked up" in caplog.text
    assert source.find({"a": waiting(NOON)}) == {"a": start()}


def test_a_gateways_answer_is_an_outage(monkeypatch):
    class Gateway(contextlib.nullcontext):
        """Stands for Google's client, which trips over {"error": "bad gateway"} like this."""

        def query(self, *_, **__):
            raise AttributeError("'str' object has no attribute 'get'")

    monkeypatch.setattr(session_starts, "bigquery_client", lambda project: Gateway(Gateway()))
    with pytest.raises(ServiceUnavailable):
        session_starts.query(Dataset("local-exams", "exams"), ["a"], ["t1"], NOON, NOON)


def test_a_pickled_copy_knows_the_same(asked):
    source = known()
    data = pickle.dumps(source)
    pickle.loads(data).find({"a": waiting(of=start())})  # noqa: S301
    known()  # Beam keeps alive only what was acquired last
    assert pickle.loads(data).find({"a": waiting(NOON)}) == {"a": start()}  # noqa: S301
    assert asked.questions == []


def test_the_query_gives_start_records(applied):
    row = {"event_id": "start", "event_type": "session_start", "session_id": "a"}
    row |= {"client_ts": NOON.isoformat(), "session_duration_seconds": 60}
    table = applied.dataset.table("events_fact")
    assert applied.client.insert_rows_json(table, [golden.fact(row, 0)]) == []
    found = session_starts.query(applied.dataset, ["a", "b"], ["t1"], NOON, NOON)
    assert found == {"a": start(duration_seconds=60)}
    assert session_starts.query(applied.dataset, ["a"], ["another"], NOON, NOON) == {}
    assert session_starts.query(applied.dataset, ["a"], ["t1"], NOON, NOON, dry_run=True) == {}
