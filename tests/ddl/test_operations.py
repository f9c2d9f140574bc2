"""The queries of replay and micro_batch, through both engines: which rows they give."""

import dataclasses
import datetime as dt
from typing import Any

from gcp.dataset import Dataset
from pipeline.lookups import session_starts
from pipeline.replay import candidate_sources
from pipeline.replay.candidates import Selection
from schemas.errors import ErrorKind
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.families import FAMILIES
from tests.ddl.golden import Row
from tests.ddl.googlesql import GoogleSql
from tests.ddl.operations import DAY, Run, fact, letter

EVERYTHING = Selection(
    kinds=frozenset(ErrorKind),
    start=dt.datetime.min.replace(tzinfo=dt.UTC),
    end=dt.datetime.max.replace(tzinfo=dt.UTC),
)


def selected(run: Run, tables: dict[str, list[Row]], **changes: Any) -> list[Row]:
    selection = dataclasses.replace(EVERYTHING, **changes)
    return run(
        lambda dataset: candidate_sources.statement(dataset, [EXAM_EVENT]),
        tables,
        candidate_sources.parameters([EXAM_EVENT], selection),
    )


def ids(rows: list[Row]) -> list[str]:
    return [row["message_id"] for row in rows]


def dead(message_id: str, hours: float = 0, **more: Any) -> Row:
    defaults = {"event_family": "exam_event", "event_id": None, "attributes": {}, "replay_count": 0}
    return letter(message_id, "not_json", hours, **{**defaults, "payload": "e30=", **more})


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
            dead("d5", event_family=None, event_id="e1"),  # nobody read it yet
        ],
    }
    found = [(row["message_id"], row["is_fact"]) for row in selected(run, tables)]
    assert found == [("d1", True), ("d2", False), ("d3", False), ("d5", False)]


def test_the_query_over_all_families_is_googlesql(googlesql: GoogleSql, dataset: Dataset) -> None:
    families = tuple(FAMILIES.values())
    rows = googlesql.run(
        candidate_sources.statement(dataset, families).rstrip(";\n"),
        {dataset.table("dead_letters"): [dead(name, event_family=name) for name in FAMILIES]},
        candidate_sources.parameters(families, EVERYTHING),
    )
    assert sorted(ids(rows)) == sorted(FAMILIES)


def test_a_letter_of_no_family_that_failed_again_in_another_family_is_done_with(run: Run) -> None:
    again = {"attributes": {"replay_of": "m1"}, "replay_count": 1, "event_family": "orders"}
    tables = {
        "dead_letters": [
            dead("m1", 0, event_family=None),
            dead("m1-again", 1, **again),
            dead("m2", 0, event_family=None),
        ]
    }
    assert ids(selected(run, tables)) == ["m2"]


def test_the_earliest_start_of_each_session_that_is_asked_for(run: Run) -> None:
    def started(event_id: str, session_id: str, hours: float, **more: Any) -> Row:
        defaults = {"event_type": "session_start", "session_id": session_id}
        return fact(event_id, f"m-{event_id}", hours, **defaults, **more)

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
    rows = run(session_starts.statement, tables, parameters)
    assert {row["session_id"]: row["event_id"] for row in rows} == {"a": "a1", "b": "b1"}
    durations = {row["session_id"]: row["duration_seconds"] for row in rows}
    assert int(durations["a"]) == 60
    assert durations["b"] is None
