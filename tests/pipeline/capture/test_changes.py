"""What a capture publishes, from a real server to a real topic."""

import contextlib
import dataclasses
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.capture import lookups
from pipeline.sources.postgres.input import SourceError
from pipeline.sources.postgres.mapping import SourceMapping, default_mapping
from schemas.families import FAMILIES
from tests.pipeline.capture.capturing import Captured
from tests.support.waiting import PATIENCE_SECONDS
from transforms.decoding.decode import Decoder

LONG = "".join(f"{number:05}" for number in range(5_000))  # does not compress to one page


def test_an_answer_is_the_event_that_a_pull_makes_of_it(school, captured, puller):
    school.answer(1)
    school.answer(2, option=None)
    events = captured.events(2)
    assert {event.pop("family") for event in events} == {"exam_event"}
    pulled = puller.payloads("answers")
    assert sorted(events, key=lambda event: event["event_id"]) == sorted(
        pulled, key=lambda event: event["event_id"]
    )
    assert events[0]["session_expiry_ts"] == "2026-03-02T10:45:00Z"
    assert captured.events(0) == []


def test_what_was_read_before_the_slot_was_advanced_is_read_again(school, captured):
    school.answer(1)
    before = captured.slot.advance
    object.__setattr__(captured.slot, "advance", lambda *_: None)
    [event] = captured.events(1)
    assert captured.events(0) == []  # a pass that failed sends nothing twice
    captured.restart()
    assert captured.events(1) == [event]
    object.__setattr__(captured.slot, "advance", before)
    captured.read()
    captured.restart()
    assert captured.events(0) == []


def test_a_rolled_back_answer_is_none(school, captured):
    with school.connect() as connection:
        school.answer(1, connection=connection)
        connection.execute("SAVEPOINT a")
        school.answer(2, connection=connection)
        connection.execute("ROLLBACK TO a")
        assert captured.events(0) == []
    with school.connect() as connection:
        school.answer(3, connection=connection)
        connection.rollback()
    [event] = captured.events(1)
    assert event["event_type"] == "answer"


def test_a_prepared_transaction_comes_when_it_is_committed(school, captured):
    with school.connect(autocommit=True) as connection:
        connection.execute("BEGIN")
        school.answer(1, connection=connection)
        connection.execute(f"PREPARE TRANSACTION '{captured.slot.name}'")
        school.answer(2)
        captured.events(1)
        connection.execute(f"COMMIT PREPARED '{captured.slot.name}'")
        captured.events(1)


def test_times_that_no_event_can_have_are_the_contracts_business(school, captured):
    school.answer(1, at="infinity")
    school.execute("INSERT INTO submissions VALUES ('s1', 'test-1', '20000-01-01Z', 'completed')")
    answer, submit = captured.events(2)
    assert (answer["client_ts"], submit["client_ts"]) == ("infinity", "20000-01-01 00:00:00+00")


def test_a_session_and_its_answer_in_one_transaction(school, captured):
    with school.connect() as connection:
        connection.execute(
            "INSERT INTO sessions VALUES ('session-2', 's1', 'test-1', '2026-03-02 11:00Z', "
            "'2026-03-02 11:45Z')"
        )
        connection.execute(
            "INSERT INTO answers VALUES (9, 's1', 'q1', 'test-1', 'session-2', 'B', "
            "'2026-03-02 11:05Z')"
        )
        connection.execute("INSERT INTO submissions VALUES ('s1', 'test-1', '2026-03-02 11:06Z')")
    start, change, answer, submit = captured.events(4)
    assert [start["event_type"], change["event_type"]] == ["session_start", "session_change"]
    assert answer["session_expiry_ts"] == "2026-03-02T11:45:00Z"
    assert answer["is_correct_answer"] is True
    assert (submit["session_id"], submit["session_expiry_ts"]) == (
        "session-2",
        "2026-03-02T11:45:00Z",
    )


def test_a_dimension_has_its_commit_time_and_its_position(school, captured, puller):
    with school.connect() as connection:
        connection.execute("UPDATE students SET grade = 8")
        connection.execute("UPDATE students SET grade = 9")
    first, second = captured.events(2)
    assert (first["position"], second["position"]) == (0, 1)
    assert first["version_ts"] == second["version_ts"]
    assert second["row"] == {"school_id": "school-1", "grade": "9", "teacher_id": "t1"}
    assert second["private_row"] == {"name": "Sam", "email": "s@example.com"}
    [pulled] = puller.payloads("students")
    assert {**second, "position": None} == {**pulled, "position": None, "family": second["family"]}


def test_a_deleted_student_is_a_tombstone_and_a_deleted_answer_stays(school, captured):
    school.answer(1)
    captured.events(1)
    school.execute("DELETE FROM answers")
    school.execute("INSERT INTO students VALUES ('s9', 'Kim', 'k@e.com', 'school-1')")
    captured.events(1)
    school.execute("DELETE FROM students WHERE student_id = 's9'")
    [gone] = captured.events(1)
    assert (gone["dimension"], gone["key"], gone["op"]) == ("student", "s9", "delete")
    assert gone["event_id"].endswith(":deleted")
    assert captured.counted('exam_events_capture_changes_total{kind="delete",table="answers"}') == 1


@pytest.mark.parametrize("identity", ["DEFAULT", "FULL"])
def test_a_deleted_session_is_a_tombstone_that_changes_no_deadline(school, captured, identity):
    school.execute(f"ALTER TABLE sessions REPLICA IDENTITY {identity}")
    school.execute("DELETE FROM sessions")
    [gone] = captured.events(1)
    assert (gone["event_type"], gone["session_id"], gone["op"]) == (
        *("session_change", "session-1", "delete"),
    )
    is_known = identity == "FULL"
    assert gone["expiry_ts"] == ("2026-03-02T10:45:00Z" if is_known else gone["version_ts"])
    Decoder(FAMILIES["session_change"]).decode(json.dumps(gone).encode())


def test_a_changed_key_is_a_tombstone_and_a_new_row(school, captured):
    school.execute("INSERT INTO students VALUES ('s9', 'Kim', 'k@e.com', 'school-1')")
    captured.events(1)
    school.execute("UPDATE students SET student_id = 's10' WHERE student_id = 's9'")
    new, gone = sorted(captured.events(2), key=lambda event: event["key"])
    assert (new["key"], new["op"]) == ("s10", "upsert")
    assert (gone["key"], gone["op"]) == ("s9", "delete")


def test_a_truncated_table_is_a_warning(school, captured, caplog):
    school.answer(1)
    captured.events(1)
    school.execute("TRUNCATE answers")
    school.answer(2)
    captured.events(1)
    assert "table answers was truncated: what it had stays in BigQuery" in caplog.text
    assert captured.counted('exam_events_capture_changes_total{kind="truncate",table="answers"}')


@pytest.mark.parametrize("identity", ["DEFAULT", "FULL"])
def test_a_long_value_that_did_not_change_is_looked_up(school, captured, identity):
    school.execute(
        f"ALTER TABLE questions REPLICA IDENTITY {identity}; "
        "ALTER TABLE questions ALTER topic SET STORAGE EXTERNAL"
    )
    school.execute(f"UPDATE questions SET topic = '{LONG}'")
    [first] = captured.events(1)
    school.execute("UPDATE questions SET correct_option = 'C'")
    [second] = captured.events(1)
    assert first["row"] | {"correct_option": "C"} == second["row"]
    assert second["row"]["topic"] == LONG


def test_a_long_value_of_a_row_that_is_gone(school, captured):
    school.execute(
        "ALTER TABLE questions ALTER topic SET STORAGE EXTERNAL; "
        f"INSERT INTO questions VALUES ('q2', 'test-1', 'A', '{LONG}')"
    )
    captured.events(1)
    school.execute("UPDATE questions SET correct_option = 'C' WHERE question_id = 'q2'")
    school.execute("DELETE FROM questions WHERE question_id = 'q2'")
    [gone] = captured.events(1)
    assert gone["op"] == "delete"
    assert captured.counted("exam_events_capture_gone_total") == 1


def test_a_new_column_is_captured_and_others_are_left_alone(school, captured):
    school.execute("ALTER TABLE students DROP COLUMN grade")
    school.execute("UPDATE students SET name = 'Samuel'")
    school.execute("ALTER TABLE students ADD COLUMN grade integer, ADD COLUMN shoe text")
    school.execute("UPDATE students SET grade = 8, shoe = 'left'")
    first, second = captured.events(2)
    assert first["row"] == {"school_id": "school-1", "teacher_id": "t1"}
    assert second["row"] == {"school_id": "school-1", "teacher_id": "t1", "grade": "8"}


def test_a_renamed_column_ends_the_capture_and_another_mapping_goes_on(school, captured, topic):
    school.answer(1)
    captured.events(1)
    school.execute("UPDATE answers SET submitted_option = 'A'")
    school.execute("ALTER TABLE answers RENAME submitted_option TO choice")
    school.execute("UPDATE answers SET choice = 'C'")
    with pytest.raises(SourceError, match="table answers has no column submitted_option any more"):
        captured.read()
    [before] = topic.take(1)
    tables = dict(default_mapping().tables)
    columns = tables["answers"].columns | {"submitted_option": "choice"}
    tables["answers"] = dataclasses.replace(tables["answers"], columns=columns)
    again = Captured(topic, captured.slot.name, mapping=SourceMapping(tables))
    [after] = again.events(1)
    assert (before["answer"], after["answer"]) == ("A", "C")
    again.engine.dispose()


def test_a_renamed_table_is_missed_before_its_rows_are(school, captured):
    school.execute("ALTER TABLE submissions RENAME TO handed_in")
    school.execute("INSERT INTO handed_in VALUES ('s1', 'test-1', now(), 'completed')")
    with pytest.raises(SourceError, match="the database has no table submissions"):
        captured.read()


def test_values_are_those_of_a_pull(school, captured, puller):
    school.execute(
        "CREATE DOMAIN padded AS character(9); "
        "ALTER TABLE questions ALTER correct_option TYPE character(5), ALTER topic TYPE padded"
    )
    school.execute("UPDATE questions SET topic = 'x'")
    [event] = captured.events(1)
    assert (event["row"]["correct_option"], event["row"]["topic"]) == ("B", "x")
    [pulled] = puller.payloads("questions")
    assert event["row_hash"] == pulled["row_hash"]


@contextlib.contextmanager
def commits_wait_for_a_standby(school):
    """Whoever commits waits: it is in the WAL, and nobody sees it."""
    school.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    try:
        school.execute("SELECT pg_reload_conf()")
        yield
    finally:
        school.execute("ALTER SYSTEM RESET synchronous_standby_names")
        school.execute("SELECT pg_reload_conf()")


def test_a_commit_that_nobody_sees_yet_is_waited_for(school, captured):
    """Else the answer would come without the expiry of its session, forever."""
    sql = (
        "INSERT INTO sessions VALUES ('session-2', 's1', 'test-1', now(), '2026-03-02 11:45Z'); "
        "INSERT INTO answers VALUES (9, 's1', 'q1', 'test-1', 'session-2', 'B', now())"
    )
    with ThreadPoolExecutor() as threads:
        with commits_wait_for_a_standby(school):
            commit = threads.submit(school.execute, sql)
            wait_until_it_waits(school)
            reading = threads.submit(captured.read)
            time.sleep(1)
            assert not reading.done()
        commit.result(60)
        reading.result(60)
    answer = next(e for e in captured.topic.take(3) if e["event_type"] == "answer")
    assert answer["session_expiry_ts"] == "2026-03-02T11:45:00Z"


def wait_until_it_waits(school):
    deadline = time.monotonic() + PATIENCE_SECONDS
    with school.connect(autocommit=True) as connection:
        while not connection.execute(
            "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        ).fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("difference", "offset"), [(0, 0), (-1, -1), (5, 5), (7 - (3 << 32), 7), ((1 << 32) - 1, -1)]
)
def test_the_half_of_a_transaction_id_that_the_slot_sends(difference, offset):
    assert lookups._offset(difference) == offset
