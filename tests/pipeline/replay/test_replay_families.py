"""Replays of several families that only tests know, against both emulators."""

import json

import msgspec
import pytest

from pipeline.replay.__main__ import main
from pipeline.replay.candidates import Outcome, ReplayCandidate, ReplayPolicy
from schemas.errors import ErrorKind
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.pipeline.replay.replays import ALL, dead, ids, insert
from tests.support import parcels as two
from tests.support.parcels import gate, parcel
from tests.transforms.builders import letter, message, payload
from transforms.dead_letters import to_row
from transforms.fixes import FIXES

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MANY = [{"price": "1", "size": {"unit": "canary-value", "count": "2"}}]


def of(family, message_id, body=None, kind=ErrorKind.SCHEMA_VIOLATION, **more):
    """A dead letter of a family, or of none."""
    sent = dead(message_id, body, kind)
    return msgspec.structs.replace(sent, event_family=family, **more)


def unrouted(message_id, body):
    """A dead letter of a message that no family of the run read."""
    sent = letter(
        message(body, message_id=message_id), ErrorKind.SCHEMA_VIOLATION, field="event_type"
    )
    return msgspec.structs.replace(sent, event_family=None, stage="RouteEvents")


@pytest.fixture
def families():
    with two.families() as families:
        yield families


def test_letters_of_the_families_and_of_none_go_back(wire, families):
    wire.dead_letters(
        of("parcels", "p1"),
        of("gates", "g1"),
        of("exam_event", "e1"),
        unrouted("n1", gate("g2")),
    )
    assert wire.replay("--event_family=gates") == 0
    sent = sorted(attributes["replay_of"] for _, attributes in wire.taken(wire.main))
    assert sent == ["g1", "n1"]  # n1: gates may be read only since today
    assert sorted(ids(wire.taken(wire.dead))) == ["e1", "p1"]


def test_the_table_gives_the_same_and_knows_the_facts_of_each_family(
    applied, wire, families, capsys
):
    parcels, gates = families
    for family in families:
        two.create(applied.client, applied.dataset, family)
    two.insert(applied.client, applied.dataset, parcels, parcel("a"), parcel("b"))
    two.insert(applied.client, applied.dataset, gates, gate("c"))
    insert(
        applied,
        of("parcels", "p1", event_id="a"),  # a fact by now
        of("parcels", "p2", event_id="c"),  # the fact of that id is one of gates
        of("gates", "g1", event_id="c"),  # a fact by now
        of("exam_event", "e1", event_id="x"),
        msgspec.structs.replace(unrouted("n1", parcel("b")), event_id="b"),
    )
    command = [f"--dataset={applied.dataset}", f"--topic={wire.main[0]}"]
    assert main([*command, "--event_family=parcels,gates"]) == 0
    sent = sorted(attributes["replay_of"] for _, attributes in wire.taken(wire.main))
    assert sent == ["n1", "p2"]
    assert f"{'schema_violation':<24}{'already a fact':<28}{2:>10}\n" in capsys.readouterr().out


def test_each_letter_is_fixed_by_the_contract_of_its_family(wire, families):
    naive = f"{two.NOW:%Y-%m-%dT%H:%M:%S}"
    wire.dead_letters(
        of("parcels", "p1", parcel("a", lines=MANY)),
        of("exam_event", "e1", payload(attempt_no="2")),
        of("gates", "g1", gate("b", opened_at=naive)),  # nothing that this fix mends
        unrouted("n1", parcel("c", lines=MANY)),
    )
    families = "--event_family=parcels,gates,exam_event"
    assert wire.replay(families, "--fix=parse_strings") == 0
    sent = [json.loads(data) for data, _ in wire.taken(wire.main)]
    assert sorted(one["event_id"] for one in sent) == ["a", "e1"]
    [fixed] = [one for one in sent if one["event_id"] == "a"]
    assert fixed["lines"][0]["size"]["count"] == 2
    assert sorted(ids(wire.taken(wire.dead))) == ["g1", "n1"]


def test_of_a_letter_of_no_family_only_the_byte_order_mark_is_mended(families):
    rules = ReplayPolicy(families, ALL, FIXES["strip_byte_order_mark"], 3)
    row = to_row(unrouted("n1", BYTE_ORDER_MARK + b"{}"))._asdict()
    assert rules.decide(ReplayCandidate.of_row(row | {"is_fact": False})) == (
        Outcome.REPLAYED,
        b"{}",
    )
    naive = to_row(unrouted("n2", gate("g", opened_at="2026-03-02T10:00:00")))._asdict()
    for name in ("assume_utc", "parse_strings"):
        rules = ReplayPolicy([*families, EXAM_EVENT], ALL, FIXES[name], 3)
        outcome, _ = rules.decide(ReplayCandidate.of_row(naive | {"is_fact": False}))
        assert outcome is Outcome.NOT_FIXED


def test_a_dry_run_shows_each_family_and_no_value(wire, families, capsys):
    wire.dead_letters(
        *(of("parcels", f"p{n}", parcel("a", lines=MANY)) for n in range(5)),
        of("gates", "g1", b"{canary-value"),
        unrouted("n1", b'{"canary-value": 1}'),
    )
    assert wire.replay("--event_family=parcels,gates", "--dry_run") == 0
    assert wire.taken(wire.main) == []
    out = capsys.readouterr().out
    size = len(parcel("a", lines=MANY))
    shape = "event_type string, customer_id string, sent_at string, lines array, event_id string"
    assert out.count(f"for instance parcels, {size} bytes: {shape}\n") == 3
    assert "for instance gates, 13 bytes, no JSON object\n" in out
    assert "for instance no family, 19 bytes: 1 fields\n" in out
    assert "canary" not in out


def test_a_fact_table_that_does_not_exist_is_one_line(applied, wire, families, capsys):
    command = [f"--dataset={applied.dataset}", f"--topic={wire.main[0]}", "--event_family=gates"]
    assert main(command) == 1
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert error.startswith(f"error: table {applied.dataset}.gates_fact does not exist: run ")
