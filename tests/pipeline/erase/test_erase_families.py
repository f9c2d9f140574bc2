"""Persons of several families are forgotten, each by the field that its registration names."""

import datetime as dt
import time

import pytest

from pipeline.erase import __main__ as erase
from pipeline.sinks.insert_rows import json_row
from tests.support import parcels as two
from tests.support.archives import read_archive, write_archive
from tests.support.parcels import gate, parcel
from tests.transforms.builders import letter, message
from transforms.dead_letters import DeadLetterRow, to_row

OTHERS = [
    ("parcels", parcel("d2", customer_id="c2", note="for c1")),
    ("exam_event", b'{"note": "c1"}'),  # of a family that is not asked for
    ("gates", b'{"gate_id": "c2"}'),
    (None, b"{broken"),
]
THEIRS = [
    ("parcels", parcel("d1", lines=[])),
    ("gates", b'{"gate_id": "c1"}'),  # of nobody by its fields, but it mentions the id
    (None, b'{"customer_id": "c1", "event_type": "unheard of"}'),
]


@pytest.fixture
def families():
    with two.families() as families:
        yield families


@pytest.fixture
def filled(applied, families):
    """Facts of c1 and c2, dead letters of both and of nobody, and a table of customers."""
    client, dataset = applied.client, applied.dataset
    for family in families:
        two.create(client, dataset, family)
    parcels, gates = families
    two.insert(client, dataset, parcels, parcel("p1"), parcel("p2", customer_id="c2"))
    two.insert(client, dataset, gates, gate("g1", gate_id="c1"))
    rows = [
        json_row(
            DeadLetterRow._fields,
            to_row(letter(message(body, message_id=f"m{n}"), event_family=family)),
        )
        for n, (family, body) in enumerate(OTHERS + THEIRS)
    ]
    assert not client.insert_rows_json(dataset.table("dead_letters"), rows)
    client.query(
        f"CREATE TABLE `{dataset}.customers` AS "
        "SELECT 'c1' AS customer_id, 'Anna' AS name UNION ALL SELECT 'c2', 'Bob'"
    ).result()
    return applied


@pytest.fixture
def customers(tmp_path):
    path = tmp_path / "customers"
    path.write_text("c1\n")
    return f"--persons={path}"


def test_rows_go_by_the_field_of_each_family(filled, customers, rows_of, capsys):
    options = [f"--dataset={filled.dataset}", customers, "--event_family=parcels,gates"]
    assert erase.main(options) == 0
    out, error = capsys.readouterr()
    assert error == ""
    assert out.splitlines()[0].endswith(f"dead_letters: {len(THEIRS)} rows deleted")
    assert rows_of("SELECT event_id FROM {dataset}.parcels_fact") == [{"event_id": "p2"}]
    assert rows_of("SELECT event_id FROM {dataset}.gates_fact") == [{"event_id": "g1"}]
    assert rows_of("SELECT name FROM {dataset}.customers") == [{"name": "Bob"}]
    left = rows_of("SELECT payload FROM {dataset}.dead_letters ORDER BY message_id")
    assert [row["payload"] for row in left] == [body for _, body in OTHERS]
    assert erase.main(options) == 0
    assert "parcels_fact: 0 rows deleted" in capsys.readouterr().out


def test_a_table_whose_ids_are_numbers_is_cleared_too(filled, tmp_path, rows_of):
    filled.client.query(
        f"CREATE TABLE `{filled.dataset}.loyalty` AS "
        "SELECT 7 AS customer_id UNION ALL SELECT 77 UNION ALL SELECT NULL"
    ).result()
    (tmp_path / "ids").write_text("7\n")
    options = [f"--dataset={filled.dataset}", f"--persons={tmp_path}/ids"]
    assert erase.main([*options, "--event_family=parcels"]) == 0
    left = rows_of("SELECT customer_id FROM {dataset}.loyalty ORDER BY customer_id")
    assert [row["customer_id"] for row in left] == [None, 77]


def test_the_families_that_are_not_asked_for_stay(filled, customers, rows_of):
    assert erase.main([f"--dataset={filled.dataset}", customers]) == 0  # of exam_event
    assert len(rows_of("SELECT event_id FROM {dataset}.parcels_fact")) == 2
    assert len(rows_of("SELECT name FROM {dataset}.customers")) == 2
    left = rows_of("SELECT message_id FROM {dataset}.dead_letters ORDER BY message_id")
    gone = {"m1", "m6"}  # that of the exam and that of no family, which mention c1
    assert {f"m{n}" for n in range(len(OTHERS + THEIRS))} - gone == {r["message_id"] for r in left}


def test_rows_in_the_streaming_buffer_stay_by_the_familys_own_column(
    filled, families, customers, rows_of, capsys, buffered
):
    now = dt.datetime.now(dt.UTC)
    two.insert(filled.client, filled.dataset, families[0], parcel("new"), at=now)
    buffered(now - dt.timedelta(minutes=30))
    options = [f"--dataset={filled.dataset}", customers, "--event_family=parcels"]
    assert erase.main(options) == 1
    assert "parcels_fact: 1 rows deleted, 1 still in" in capsys.readouterr().out
    left = rows_of("SELECT event_id FROM {dataset}.parcels_fact ORDER BY event_id")
    assert [row["event_id"] for row in left] == ["new", "p2"]


def test_archived_messages_go_by_the_fields_too(filled, customers, tmp_path):
    archive = tmp_path / "a.avro"
    bodies = [
        parcel("p1"),
        parcel("p2", customer_id="c2", note="for c1"),
        gate("g1", gate_id="c1"),  # of a family whose messages are nobody's
        b"{ c1",
    ]
    write_archive(archive, bodies)
    options = [f"--dataset={filled.dataset}", customers, "--event_family=gates,parcels"]
    assert erase.main([*options, f"--archive={archive}"]) == 0
    assert [record["data"] for record in read_archive(archive)[0]] == bodies[1:3]


@pytest.mark.parametrize("option", ["--persons", "--students"])
def test_families_that_hold_nobody_are_a_wrong_argument(families, tmp_path, capsys, option):
    (tmp_path / "ids").write_text("c1\n")
    options = ["--dataset=local-exams.x", f"{option}={tmp_path}/ids", "--event_family=gates"]
    with pytest.raises(SystemExit) as ended:
        erase.main(options)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: --event_family: no field of gates names a person\n"


def test_a_bigquery_that_does_not_answer_is_one_line_in_time(customers, monkeypatch, capsys):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "127.0.0.1:1")
    started = time.monotonic()
    assert erase.main(["--dataset=local-exams.none", customers]) == 1
    assert time.monotonic() - started < 60
    line = "error: BigQuery does not answer at 127.0.0.1:1 (BIGQUERY_EMULATOR_HOST)\n"
    assert capsys.readouterr() == ("", line)
