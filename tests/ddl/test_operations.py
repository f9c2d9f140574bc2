"""The queries of reconcile and replay, through both engines: which rows they count and give."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from google.cloud import bigquery

from ddl.apply import apply
from gcp.dataset import Dataset
from pipeline import reconcile
from pipeline.lookups import session_starts
from pipeline.reconcile import Window
from pipeline.replay import candidate_sources
from pipeline.replay.candidates import Selection
from schemas.errors import ErrorKind
from schemas.exam_event.family import EXAM_EVENT
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.ddl.golden import Row
from tests.ddl.googlesql import AnyParameter, GoogleSql
from tests.ddl.test_views import as_text

Run = Callable[[str, dict[str, list[Row]], Sequence[AnyParameter]], list[Row]]
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
EVERYTHING = Selection(
    kinds=frozenset(ErrorKind),
    start=dt.datetime.min.replace(tzinfo=dt.UTC),
    end=dt.datetime.max.replace(tzinfo=dt.UTC),
)


@pytest.fixture(params=["zetasql", "bqemulator"])
def run(request: pytest.FixtureRequest) -> Run:
    """Fills in a dataset, fills its tables, and runs a query on one of the engines."""
    if request.param == "zetasql":
        return on_zetasql(request.getfixturevalue("googlesql"), request.getfixturevalue("dataset"))
    return on_bqemulator(request.getfixturevalue("warehouse"))


def on_zetasql(engine: GoogleSql, dataset: Dataset) -> Run:
    def run(path: str, tables: dict[str, list[Row]], parameters: Sequence[AnyParameter]) -> Any:
        full_names = {dataset.table(name): rows for name, rows in tables.items()}
        return engine.run(dataset.statement("pipeline", path).rstrip(";\n"), full_names, parameters)

    return run


def on_bqemulator(warehouse: Warehouse) -> Run:
    def run(path: str, tables: dict[str, list[Row]], parameters: Sequence[AnyParameter]) -> Any:
        client, dataset = warehouse.client, warehouse.dataset
        apply(client, dataset)
        for name, rows in tables.items():
            assert not client.insert_rows_json(dataset.table(name), [as_text(row) for row in rows])
        config = bigquery.QueryJobConfig(query_parameters=list(parameters))
        sql = dataset.statement("pipeline", path)
        return [dict(row) for row in client.query(sql, job_config=config).result()]

    return run


def fact(event_id: str, message_id: str, hours: float = 0, **more: Any) -> Row:
    moment = (DAY + dt.timedelta(hours=hours)).isoformat()
    told = {"event_id": event_id, "event_type": "page_view", "message_id": message_id}
    return golden.fact({"client_ts": moment, "publish_ts": moment, **told, **more}, 0)


def letter(message_id: str, kind: str, hours: float = 0, **more: Any) -> Row:
    moment = (DAY + dt.timedelta(hours=hours)).isoformat()
    told = {"error_kind": kind, "publish_time": moment, "failed_at": moment}
    return golden.letter({"message_id": message_id, **told, **more}, 0)


def counted(run: Run, window: Window, tables: dict[str, list[Row]]) -> dict[str, int]:
    rows = run(reconcile.SQL, tables, window.parameters)
    return {row["quantity"]: int(row["found"]) for row in rows}


def test_each_message_counts_once(run: Run) -> None:
    tables = {
        "events_fact": [
            fact("e1", "m1"),
            fact("e1", "m1", ingest_ts="2026-03-05T00:00:00Z"),  # written twice
            fact("e1", "m2", answer="changed"),  # a conflict
            fact("e2", "m3"),
            fact("e2", "m4"),
        ],
        "dead_letters": [
            letter("m5", "not_json"),
            letter("m5", "not_json"),  # written twice
            letter("m6", "not_json"),
            letter("m7", "store_error"),
            letter("m8", "schema_violation"),
            letter("m8", "not_json"),  # told twice, in two ways
            letter("m1", "internal_error"),  # a fact all the same
        ],
    }
    assert counted(run, Window(), tables) == {
        "facts": 2,
        "duplicates": 2,
        "conflicts": 1,
        "not_json": 3,
        "store_error": 1,
    }


def test_a_window_is_of_publish_times_and_reads_the_partitions_around_it(run: Run) -> None:
    window = Window(DAY, DAY + dt.timedelta(hours=1))
    early, late = "2026-02-22T00:00:00Z", "2026-03-04T00:00:00Z"
    tables = {
        "events_fact": [
            fact("before", "m1", -0.01),
            fact("first", "m2", 0),
            fact("last", "m3", 0.99),
            fact("after", "m4", 1),
            fact("old", "m5", client_ts=early),
            fact("too-old", "m6", client_ts="2026-02-21T23:59:59Z"),
            fact("ahead", "m7", client_ts=late),
            fact("too-far-ahead", "m8", client_ts="2026-03-05T00:00:00Z"),
            fact("conflict-before", "m9", -2),
            fact("conflict-before", "m10", -1, answer="changed"),
            fact("conflict-across", "m11", -2),
            fact("conflict-across", "m12", 0.5, answer="changed"),
        ],
        "dead_letters": [
            letter("d1", "not_json", -0.01),
            letter("d2", "not_json", 0),
            letter("d3", "not_json", 1),
            letter("d4", "store_error", 0.5, failed_at=late),
            letter("d5", "store_error", 0.5, failed_at="2026-03-05T00:00:00Z"),
        ],
    }
    assert counted(run, window, tables) == {
        "facts": 5,
        "duplicates": 0,
        "conflicts": 1,
        "not_json": 1,
        "store_error": 1,
    }


def test_empty_tables_count_nothing(run: Run) -> None:
    assert counted(run, Window(), {}) == {"facts": 0, "duplicates": 0, "conflicts": 0}


def selected(run: Run, tables: dict[str, list[Row]], **changes: Any) -> list[Row]:
    selection = dataclasses.replace(EVERYTHING, **changes)
    return run(candidate_sources.SQL, tables, candidate_sources.parameters(EXAM_EVENT, selection))


def ids(rows: list[Row]) -> list[str]:
    return [row["message_id"] for row in rows]


def dead(message_id: str, hours: float = 0, **more: Any) -> Row:
    told = {"event_family": "exam_event", "event_id": None, "attributes": {}, "replay_count": 0}
    return letter(message_id, "not_json", hours, **{**told, "payload": "e30=", **more})


def test_letters_to_replay_come_oldest_first_within_the_times(run: Run) -> None:
    tables = {
        "dead_letters": [
            dead("after", 3),
            dead("last", 2.99),
            dead("b", 1),
            dead("a", 1),
            dead("first", 0),
            dead("before", -0.01),
        ]
    }
    times = {"start": DAY, "end": DAY + dt.timedelta(hours=3)}
    assert ids(selected(run, tables, **times)) == ["first", "a", "b", "last"]


def test_of_a_message_and_its_replays_the_last_letter_counts(run: Run) -> None:
    of_m1 = {"attributes": {"replay_of": "m1", "x": 1}, "replay_count": 1}
    of_m2 = {"attributes": {"replay_of": "m2"}}
    tables = {
        "dead_letters": [
            dead("m1", 0),
            dead("m1", 0.1),  # written twice
            dead("m1-again", 1, **of_m1),
            dead("m1-and-again", 2, **of_m1),
            dead("m2", 0),
            dead("m2-again", 1, **of_m2, replay_count=1),
            dead("m2-and-again", 2, **of_m2, replay_count=2, error_kind="internal_error"),
            dead("m3", 5, replay_count=None, attributes=None),
        ]
    }
    assert ids(selected(run, tables)) == ["m1-again", "m2-and-again", "m3"]
    assert ids(selected(run, tables, kinds=frozenset({"not_json"}))) == ["m1-again", "m3"]
    assert ids(selected(run, tables, end=DAY + dt.timedelta(hours=1))) == []


def test_letters_that_share_a_message_id_are_several_where_source_or_payload_differ(
    run: Run,
) -> None:
    tables = {
        "dead_letters": [
            dead("1", 0, source="a"),
            dead("1", 1, source="b"),
            dead("1", 2, source="a", payload="e30x"),
            dead("1", 3, source="a"),  # written twice
        ]
    }
    found = [(r["source"], r["failed_at"]) for r in selected(run, tables)]
    assert [source for source, _ in found] == ["a", "b", "a"]


def test_of_messages_that_share_an_id_each_has_its_own_replays(run: Run) -> None:
    again = {"attributes": {"replay_of": "1"}, "replay_count": 1, "source": "s"}
    tables = {
        "dead_letters": [
            dead("1", 0, source="a", event_id="e1"),
            dead("1", 0, source="b", event_id="e2"),
            dead("1", 0, source="c", event_id="e3"),  # not replayed yet
            dead("7", 1, event_id="e1", **again),
            dead("8", 2, event_id="e2", **again),
            dead("9", 3, event_id="e2", **again | {"replay_count": 2}),
        ]
    }
    assert ids(selected(run, tables)) == ["1", "7", "9"]
    # The letters of the messages themselves lie before the partitions that are read.
    later = {"start": DAY + dt.timedelta(hours=24)}
    for row in tables["dead_letters"][3:]:
        row["failed_at"] = row["failed_at"].replace("-02T", "-03T")
        row["failed_date"] = "2026-03-03"
    assert ids(selected(run, tables, **later)) == ["7", "9"]


def test_a_senders_own_replay_of_is_no_replay(run: Run) -> None:
    of_sender = {"attributes": {"replay_of": "prod"}}
    tables = {
        "dead_letters": [
            dead("m1", 0, **of_sender),
            dead("m2", 1, **of_sender),
            dead("m3", 2, **of_sender, replay_count=None),
            dead("prod", 3),
        ]
    }
    assert ids(selected(run, tables)) == ["m1", "m2", "m3", "prod"]


def test_letters_whose_event_is_a_fact_say_so(run: Run) -> None:
    tables = {
        "events_fact": [fact("e1", "m8"), fact("e3", "m9")],
        "dead_letters": [
            dead("d1", event_id="e1"),
            dead("d2", event_id="e2"),
            dead("d3"),
            dead("d4", event_family="orders", event_id="e1"),
        ],
    }
    found = [(row["message_id"], row["is_fact"]) for row in selected(run, tables)]
    assert found == [("d1", True), ("d2", False), ("d3", False)]


def test_the_earliest_start_of_each_session_that_is_asked_for(run: Run) -> None:
    def started(event_id: str, session_id: str, hours: float, **more: Any) -> Row:
        told = {"event_type": "session_start", "session_id": session_id}
        return fact(event_id, f"m-{event_id}", hours, **told, **more)

    tables = {
        "events_fact": [
            started("a2", "a", 10),
            started("a1", "a", 9, session_duration_seconds=60),
            started("a3", "a", 9),
            fact("a0", "m-a0", 8, session_id="a"),
            started("b1", "b", -8 * 24, session_start_ts="2026-02-22T08:00:00Z"),
            started("c1", "c", -8 * 24 - 0.01),  # in a partition that is not read
            fact("d1", "m-d1", 9, session_id="d"),
            started("x1", "x", 9),  # nobody asks for it
            started("y1", "a", 8, test_id="another"),  # nor for this test
        ]
    }
    parameters = session_starts.parameters(["a", "b", "c", "d"], ["t1", "t2"], DAY, DAY)
    rows = run(session_starts.SQL, tables, parameters)
    assert {row["session_id"]: row["event_id"] for row in rows} == {"a": "a1", "b": "b1"}
    durations = {row["session_id"]: row["duration_seconds"] for row in rows}
    assert int(durations["a"]) == 60
    assert durations["b"] is None
