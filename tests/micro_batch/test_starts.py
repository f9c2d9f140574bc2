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

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def start(event_id="start", minutes=0, **fields):
    moment = NOON + dt.timedelta(minutes=minutes)
    return StartRecord(event_id=event_id, client_ts=moment, start_ts=moment, **fields)


class Asked:
    """Stands for the query: the starts it knows, and what it was asked."""

    def __init__(self):
        self.starts = {}
        self.questions = []
        self.failures = []

    def query(self, dataset, sessions, first, last):
        self.questions.append((sorted(sessions), first, last))
        if self.failures:
            raise self.failures.pop()
        return {name: self.starts[name] for name in sessions if name in self.starts}


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
    found = known().find({"a": None, "b": None, "c": start("own")}, [later, NOON])
    assert found == {"a": start(), "b": None, "c": start("own")}
    assert asked.questions == [(["a", "b"], NOON, later)]


def test_nothing_is_asked_twice(asked):
    asked.starts = {"a": start()}
    source = known()
    for _ in range(2):
        assert source.find({"a": None, "b": None}, [NOON]) == {"a": start(), "b": None}
    assert source.find({"b": start("came")}, []) == {"b": start("came")}
    assert source.find({"b": None}, [NOON]) == {"b": start("came")}
    assert len(asked.questions) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_earliest_start_wins_in_whatever_order_they_come(asked, order):
    copies = [start("x", minutes=1), start("y", minutes=0)]
    source = known()
    for index in order:
        source.find({"a": copies[index]}, [])
    assert source.find({"a": None}, [NOON]) == {"a": copies[1]}


def test_the_sessions_seen_last_are_kept(asked):
    source = known(max_sessions=2)
    source.find({"a": start("a"), "b": start("b")}, [])
    source.find({"a": None}, [NOON])
    source.find({"c": start("c")}, [])
    assert source.find({"a": None, "c": None}, [NOON]) == {"a": start("a"), "c": start("c")}
    assert asked.questions == []
    source.find({"b": None}, [NOON])
    assert [sessions for sessions, _, _ in asked.questions] == [["b"]]


def test_more_sessions_than_are_kept_are_all_answered(asked):
    source = known(max_sessions=2)
    sessions = {f"s{n}": start(f"e{n}") for n in range(10)}
    assert source.find(sessions, []) == sessions


def test_one_clock_that_is_years_off_does_not_have_years_read(asked):
    known().find({"a": None, "b": None}, [NOON - dt.timedelta(days=1_700), NOON])
    (_, first, last), *_ = asked.questions
    assert (first, last) == (NOON - dt.timedelta(days=30), NOON)


def test_an_outage_is_waited_out(asked):
    asked.starts = {"a": start()}
    asked.failures = [ServiceUnavailable("away"), ServiceUnavailable("away")]
    assert known().find({"a": None}, [NOON]) == {"a": start()}
    assert len(asked.questions) == 3


@pytest.mark.parametrize(
    "failure", [BadRequest("no", errors=[{"reason": "invalidQuery"}]), LookupError("a bug")]
)
def test_what_cannot_be_asked_is_not_known(asked, caplog, failure):
    asked.failures = [failure]
    assert known().find({"a": None}, [NOON]) == {"a": None}
    assert "not looked up" in caplog.text


def test_a_gateways_answer_is_an_outage(monkeypatch):
    class Gateway(contextlib.nullcontext):
        """Stands for Google's client, which trips over {"error": "bad gateway"} like this."""

        def query(self, *_, **__):
            raise AttributeError("'str' object has no attribute 'get'")

    monkeypatch.setattr(session_starts, "bigquery_client", lambda project: Gateway(Gateway()))
    with pytest.raises(ServiceUnavailable):
        session_starts.query(Dataset("local-exams", "exams"), ["a"], NOON, NOON)


def test_a_pickled_copy_is_the_same():
    source = known()
    assert pickle.loads(pickle.dumps(source)) is source  # noqa: S301


def test_the_query_gives_start_records(applied):
    row = {"event_id": "start", "event_type": "session_start", "session_id": "a"}
    row |= {"client_ts": NOON.isoformat(), "session_duration_seconds": 60}
    table = applied.dataset.table("events_fact")
    assert applied.client.insert_rows_json(table, [golden.fact(row, 0)]) == []
    found = session_starts.query(applied.dataset, ["a", "b"], NOON, NOON)
    assert found == {"a": start(duration_seconds=60)}
    assert session_starts.query(applied.dataset, ["a"], NOON, NOON, dry_run=True) == {}
