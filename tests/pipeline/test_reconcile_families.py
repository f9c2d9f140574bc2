"""Reconcile over several families that only tests know, against bqemulator."""

import datetime as dt

import msgspec
import pytest

from pipeline.reconcile import main
from pipeline.sinks.insert_rows import json_row
from schemas.errors import ErrorKind
from schemas.families import FAMILIES
from tests.support import parcels as two
from tests.support.parcels import gate, parcel
from tests.transforms.builders import letter, message
from transforms.dead_letters import DeadLetterRow, to_row


@pytest.fixture
def families():
    with two.families() as families:
        yield families


@pytest.fixture
def filled(applied, families):
    """Of parcels two facts, a copy and one that differs; a fact of gates; letters of all."""
    parcels, gates = families
    client, dataset = applied.client, applied.dataset
    for family in families:
        two.create(client, dataset, family)
    changed = [{"price": "1.10", "size": {"unit": "kg", "count": 3}}]
    sent = [parcel("a"), parcel("a"), parcel("b"), parcel("b", lines=changed)]
    two.insert(client, dataset, parcels, *sent)
    two.insert(client, dataset, gates, gate(None), gate(None))
    dead = [
        ("d1", "parcels", ErrorKind.NOT_JSON),
        ("d1", "parcels", ErrorKind.NOT_JSON),  # written twice
        ("d2", "parcels", ErrorKind.RULE_VIOLATION),
        ("d3", None, ErrorKind.SCHEMA_VIOLATION),
        ("d4", "exam_event", ErrorKind.NOT_JSON),
        ("gates-1", "parcels", ErrorKind.INTERNAL_ERROR),  # and a fact of another family
    ]
    rows = [
        json_row(
            DeadLetterRow._fields,
            to_row(letter(message(b"{", message_id=name), kind, event_family=family)),
        )
        for name, family, kind in dead
    ]
    assert not client.insert_rows_json(dataset.table("dead_letters"), rows)
    return applied


@pytest.fixture
def reconciled(filled, capsys):
    def run(*options):
        code = main([f"--dataset={filled.dataset}", *options])
        out, error = capsys.readouterr()
        assert max(map(len, out.splitlines())) <= 80
        reading, _, rest = out.partition("\n\n")
        table = [line.split() for line in rest.splitlines() if line]
        return code, " ".join(reading.splitlines()), table, error

    return run


def test_each_family_is_counted_and_the_sum_is_held_against_what_was_published(reconciled):
    code, reading, table, error = reconciled("--event_family=parcels,gates", "--expected=9")
    assert (code, error) == (0, "")
    assert reading.startswith("Reading parcels_fact, gates_fact and dead_letters of ")
    assert table == [
        ["published", "9"],
        ["facts", "duplicates", "dead", "letters", "conflicts"],
        ["parcels", "2", "2", "2", "1"],
        ["gates", "1", "1", "0", "0"],
        ["(no", "family)", "0", "0", "1", "0"],
        ["total", "3", "3", "3", "1"],
        ["dead", "letters"],
        ["parcels", "not_json", "1"],
        ["parcels", "rule_violation", "1"],
        ["(no", "family)", "schema_violation", "1"],
        ["unaccounted", "0"],
    ]


def test_a_missing_message_of_any_family_is_a_failure(reconciled):
    day = ("--start=2026-03-02T00:00:00Z", "--end=2026-03-03T00:00:00Z")
    code, _, table, error = reconciled("--event_family=parcels,gates", "--expected=10", *day)
    assert (code, table[-1]) == (1, ["unaccounted", "1"])
    assert error == (
        "error: 1 of 10 messages are neither fact nor dead letter; is the sent_at or opened_at of "
        "an event outside the partitions read? then leave out --start and --end\n"
    )


def test_one_family_has_the_table_of_always(reconciled):
    _, reading, table, _ = reconciled("--event_family=parcels", "--expected=8")
    assert reading.startswith("Reading parcels_fact and dead_letters of ")
    # The letter of a message that is a fact of gates counts: gates is not asked for.
    assert dict(line for line in table if len(line) == 2) == {
        "published": "8",
        "facts": "2",
        "duplicates": "2",
        "not_json": "1",
        "too_large": "0",
        "schema_violation": "1",
        "rule_violation": "1",
        "store_error": "0",
        "rejected_by_warehouse": "0",
        "internal_error": "1",
        "unaccounted": "0",
    }
    assert table[-1][-1] == "1"


def test_partitions_go_by_the_event_time_of_the_family(filled, families, reconciled):
    for number, days in enumerate((-8, -9, 2, 3)):
        sent_at = (two.NOW + dt.timedelta(days=days)).isoformat()
        body = parcel(f"day {days}", sent_at=sent_at)
        two.insert(filled.client, filled.dataset, families[0], body, first_id=100 + number)
    day = ("--start=2026-03-02T00:00:00Z", "--end=2026-03-02T12:00:00Z")
    _, _, table, _ = reconciled("--event_family=parcels,gates", *day)
    assert table[2] == ["parcels", "4", "2", "2", "1"]


def test_events_that_lie_far_ahead_are_counted_where_the_family_has_such(applied, capsys):
    """A session that expires in a year is a change of today."""
    family = FAMILIES["session_change"]
    for number, days in enumerate((2, 300, 364)):
        change = {
            "event_type": "session_change",
            "session_id": f"x{days}",
            "expiry_ts": (two.NOW + dt.timedelta(days=days)).isoformat(),
            "op": "upsert",
            "version_ts": two.NOW.isoformat(),
        }
        body = msgspec.json.encode(change)
        two.insert(applied.client, applied.dataset, family, body, first_id=number)
    day = ("--start=2026-03-02T00:00:00Z", "--end=2026-03-03T00:00:00Z", "--expected=3")
    arguments = [f"--dataset={applied.dataset}", *day]
    assert main([*arguments, "--event_family=session_change"]) == 0
    assert "partitions from 2026-02-22 to 2027-03-03" in " ".join(capsys.readouterr().out.split())
    assert main([*arguments, "--event_family=exam_event,session_change"]) == 0


def test_notes_fit_the_width_too(filled, families, reconciled):
    two.insert(filled.client, filled.dataset, families[0], parcel("c"), parcel("d"), first_id=50)
    two.insert(filled.client, filled.dataset, families[0], parcel("e"), parcel("f"), first_id=50)
    _, _, table, _ = reconciled("--event_family=parcels,gates")
    said = " ".join(" ".join(line) for line in table)
    assert "note: 2 message_ids stand for several messages" in said


def test_a_table_that_does_not_exist_is_one_line(applied, families, capsys):
    assert main([f"--dataset={applied.dataset}", "--event_family=exam_event,gates"]) == 1
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert error.startswith(f"error: table {applied.dataset}.gates_fact does not exist: run ")


def test_a_family_that_nobody_registered_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--dataset=local-exams.x", "--event_family=exam_event,nobody"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: --event_family: no event family 'nobody'")
