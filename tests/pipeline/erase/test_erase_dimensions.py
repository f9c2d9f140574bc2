"""What the operational database said of a student goes with the student's events."""

import json

import msgspec
import pytest

from pipeline.erase import __main__ as erase
from pipeline.erase.persons import Persons
from schemas.families import FAMILIES
from tests.support.events import event
from tests.support.parcels import NOW, insert

DIMENSIONS, SESSIONS = FAMILIES["dimension_change"], FAMILIES["session_change"]


def dimension(key, name="student", **fields):
    row = {"op": "upsert", "row": {"grade": "7"}, "version_ts": NOW.isoformat()}
    change = {"event_type": "dimension_change", "dimension": name, "key": key} | row | fields
    return msgspec.json.encode(change)


def session(session_id):
    times = {"expiry_ts": NOW.isoformat(), "version_ts": NOW.isoformat()}
    change = {"event_type": "session_change", "session_id": session_id, "op": "upsert"}
    return msgspec.json.encode(change | times)


@pytest.fixture
def filled(applied):
    """Students 7 and 8, who sat a session each; a question and a teacher called 7 too."""
    client, dataset = applied.client, applied.dataset
    facts = [
        json.dumps(event(f"e{student}", student_id=student, session_id=f"x{student}")).encode()
        for student in ("7", "8")
    ]
    insert(client, dataset, FAMILIES["exam_event"], *facts, at=NOW)
    changes = [dimension("7", private_row={"name": "Sam"}), dimension("7", op="delete", row=None)]
    changes += [dimension("8"), dimension("7", "question"), dimension("7", "teacher")]
    insert(client, dataset, DIMENSIONS, *changes)
    insert(client, dataset, SESSIONS, session("x7"), session("x8"), session("x9"))
    return applied


@pytest.fixture
def ids(tmp_path):
    (tmp_path / "ids").write_text("7\n")
    return f"--students={tmp_path}/ids"


LEFT = """
    SELECT dimension || ' ' || key AS left_over FROM {dataset}.dimension_changes_fact
    UNION ALL SELECT session_id FROM {dataset}.session_changes_fact
    UNION ALL SELECT event_id FROM {dataset}.events_fact
    ORDER BY 1"""


def test_dimension_rows_and_changes_of_sessions_go_with_the_student(filled, ids, rows_of, capsys):
    options = [f"--dataset={filled.dataset}", ids]
    assert erase.main([*options, "--dry_run"]) == 0
    assert "dimension_changes_fact: 2 rows would be deleted\n" in capsys.readouterr().out
    assert erase.main(options) == 0
    assert "session_changes_fact: 1 rows deleted\n" in capsys.readouterr().out
    left = [row["left_over"] for row in rows_of(LEFT)]
    assert left == ["e8", "question 7", "student 8", "teacher 7", "x8", "x9"]


def test_events_wait_for_changes_of_sessions_in_the_streaming_buffer(
    filled, ids, rows_of, capsys, buffered
):
    """Without the events nobody would know whose the sessions are."""
    buffered(NOW)
    assert erase.main([f"--dataset={filled.dataset}", ids]) == 1
    output = capsys.readouterr()
    assert "session_changes_fact: 0 rows deleted, 1 still in" in output.out
    assert "run it again after" in output.err
    assert len(rows_of(LEFT)) == 10


def test_a_message_is_the_students_whose_change_it_is():
    persons = Persons(["7"], [FAMILIES["exam_event"], DIMENSIONS])
    assert persons.own(dimension("7"))
    assert not persons.own(dimension("8", row={"copied_from": "7"}))
    assert not persons.own(dimension("7", "question"))
    assert not persons.own(dimension("q1", "question", row={"points": 7}))
    assert not persons.own(json.dumps(event(student_id="8", key="7")).encode())
    assert persons.own(dimension("7")[:-3])  # cut off: it mentions the id
