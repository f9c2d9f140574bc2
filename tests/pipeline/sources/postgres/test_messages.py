"""What rows become: ids that never change, and values that the contract judges."""

import dataclasses
import datetime as dt
import json

import pytest

from pipeline.sources.postgres import values
from pipeline.sources.postgres.mapping import SourceMapping, default_mapping
from pipeline.sources.postgres.messages import pulled_message
from schemas.errors import ContractError, ErrorKind
from schemas.families import DEFAULT_FAMILY
from tests.pipeline.sources.postgres.pulling import Puller
from transforms.decoding.decode import Decoder


def exam(*tables, puller):
    """Payloads of exam events that these tables give."""
    return [
        payload
        for payload in puller.payloads(*tables, full=True)
        if payload["event_type"] not in ("dimension_change", "session_change")
    ]


def test_an_answer(school, puller):
    school.answer(1)
    [payload] = puller.payloads("answers")
    prefix, k, h = payload.pop("event_id").split(":")
    assert (prefix, len(k), len(h)) == ("answers", 16, 16)
    assert payload == {
        "event_type": "answer",
        "test_id": "test-1",
        "student_id": "s1",
        "session_id": "session-1",
        "client_ts": "2026-03-02T10:05:00Z",
        "question_id": "q1",
        "answer": "B",
        "is_correct_answer": True,
        "session_expiry_ts": "2026-03-02T10:45:00Z",
    }


@pytest.mark.parametrize(
    ("given", "right", "graded"),
    [("B", "B", True), ("A", "B", False), (None, "B", None), ("B", None, None), ("", "B", False)],
)
def test_an_answer_is_graded_where_the_key_is_known(school, puller, given, right, graded):
    with school.connect() as connection:
        connection.execute("UPDATE questions SET correct_option = %s", (right,))
    school.answer(1, option=given)
    [payload] = puller.payloads("answers")
    assert payload.get("is_correct_answer") is graded


def test_a_submission_belongs_to_the_session_of_the_latest_answer_before_it(school, puller):
    school.execute(
        "INSERT INTO sessions SELECT 'session-' || i, 's1', 'test-1', NULL, NULL "
        "FROM generate_series(2, 4) AS i"
    )
    for number, at in enumerate(("10:01", "10:02", "10:02", "10:30"), start=1):
        school.answer(number, at=f"2026-03-02 {at}:00+00")
    school.execute("UPDATE answers SET session_id = 'session-' || answer_id")
    school.execute(
        "INSERT INTO submissions VALUES ('s1', 'test-1', '2026-03-02 10:02:00+00', 'incomplete')"
    )
    [payload] = puller.payloads("submissions")
    assert payload["session_id"] == "session-3"
    assert payload["event_type"] == "test_submit"
    assert payload["completion_status"] == "incomplete"
    school.execute("UPDATE submissions SET submit_time = '2026-03-02 09:00:00+00'")
    [payload] = puller.payloads("submissions")
    assert payload["session_id"] == f"none:{payload['event_id'].split(':')[1]}"


def test_a_session_starts_where_it_says_when(school, puller):
    school.execute("INSERT INTO sessions (session_id, expiry_time) VALUES ('bare', now())")
    [payload] = exam("sessions", puller=puller)
    assert payload["event_type"] == "session_start"
    assert payload["session_id"] == "session-1"
    assert payload["client_ts"] == "2026-03-02T10:00:00Z"


def test_a_sessions_table_without_starts_gives_changes_only(school, puller):
    school.execute(
        "ALTER TABLE sessions DROP COLUMN start_time, DROP COLUMN student_id, DROP COLUMN test_id"
    )
    [payload] = puller.payloads("sessions")
    assert payload["event_type"] == "session_change"
    assert payload["expiry_ts"] == "2026-03-02T10:45:00Z"


def test_an_extension_is_a_change_of_the_session_and_no_new_event(school, puller):
    [start, first] = puller.payloads("sessions")
    school.execute("UPDATE sessions SET expiry_time = '2026-03-02 11:00:00+00'")
    [again, second] = puller.payloads("sessions")
    assert again["event_id"] == start["event_id"]
    assert second["event_id"] != first["event_id"]
    assert second["expiry_ts"] == "2026-03-02T11:00:00Z"
    assert second["version_ts"] > first["version_ts"]


def test_an_answer_changed_in_place_is_a_new_event_and_changed_back_the_first(school, puller):
    school.answer(1, option="A")
    [first] = puller.payloads("answers")
    school.execute("UPDATE answers SET submitted_option = 'B'")
    [second] = puller.payloads("answers")
    school.execute("UPDATE answers SET submitted_option = 'A'")
    [third] = puller.payloads("answers")
    assert first["event_id"] != second["event_id"]
    assert first["event_id"] == third["event_id"]


def test_the_message_id_names_the_row_its_version_and_its_transaction(school, puller):
    school.answer(1)
    [row] = puller.rows("answers")
    [event] = puller.events(row)
    message = pulled_message(event, puller.last.began, "postgres:answers")
    k, h = json.loads(message.payload)["event_id"].split(":")[1:]
    assert message.message_id == f"pg:answers:{k}@{row.transaction}:{h}"
    assert message.attributes == {"event_family": "exam_event"}
    [again] = puller.rows("answers", full=True)
    assert puller.events(again) == [event]


def test_every_message_of_a_pull_has_an_id_of_its_own(school, puller):
    school.answer(1)
    school.execute("INSERT INTO submissions VALUES ('s1', 'test-1', now(), 'completed')")
    versions = [event.version for row in puller.rows() for event in puller.events(row)]
    assert len(versions) == len(set(versions)) == 8


def test_a_dimension_keeps_what_identifies_a_person_apart(school, puller):
    [payload] = puller.payloads("students")
    assert payload["dimension"] == "student"
    assert payload["key"] == "s1"
    assert payload["op"] == "upsert"
    assert payload["row"] == {"school_id": "school-1", "grade": "7", "teacher_id": "t1"}
    assert payload["private_row"] == {"name": "Sam", "email": "s@example.com"}
    assert "position" not in payload  # a pull does not know
    school.execute("UPDATE students SET grade = 8")
    school.execute("UPDATE students SET grade = 7")
    [again] = puller.payloads("students")
    assert again["row_hash"] == payload["row_hash"]
    assert again["event_id"] != payload["event_id"]
    assert again["version_ts"] > payload["version_ts"]


def test_a_deleted_row_of_a_dimension(school, puller):
    puller.begin()
    mapper = puller.mapper()
    event = mapper.dimension_delete("students", "s1", "77", dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    payload = json.loads(event.payload)
    assert payload["op"] == "delete"
    assert payload["version_ts"] == "2026-03-02T00:00:00Z"
    assert payload["event_id"] == f"students:{mapper.k(['s1'])}@77:deleted"


UNREAL = {
    "infinity": "infinity",
    "year 20000": "20000-01-01 00:00:00+00",
    "before Christ": "0044-03-15 00:00:00+00 BC",
}


@pytest.mark.parametrize("time", UNREAL.values(), ids=UNREAL)
def test_a_time_that_no_event_can_have_is_the_contracts_business(school, puller, time):
    school.execute(f"INSERT INTO submissions VALUES ('s1', 'test-1', '{time}', 'completed')")
    school.answer(1, at=time)
    [row] = puller.rows("submissions")
    [event] = puller.events(row)
    with pytest.raises(ContractError) as caught:
        Decoder(DEFAULT_FAMILY).decode(event.payload)
    assert caught.value.kind is ErrorKind.SCHEMA_VIOLATION
    assert caught.value.field == "client_ts"
    assert len(puller.payloads("answers", full=True)) == 1


def test_an_answer_that_is_too_long_is_the_contracts_business(school, puller):
    school.answer(1, option="x" * 9_000)
    [row] = puller.rows("answers")
    [event] = puller.events(row)
    as_submit = event.payload.replace(b'"event_type":"answer"', b'"event_type":"answer_submit"')
    with pytest.raises(ContractError) as caught:
        Decoder(DEFAULT_FAMILY).decode(as_submit)
    assert caught.value.field == "answer"


def test_a_time_without_a_zone_is_read_in_the_source_zone(school):
    school.execute(
        'ALTER TABLE answers ALTER "timestamp" TYPE timestamp; '
        "ALTER TABLE submissions ALTER submit_time TYPE timestamp"
    )
    school.answer(1, at="2026-07-01 12:00:00")
    school.answer(2, at="2026-01-01 12:00:00")
    school.execute("INSERT INTO submissions VALUES ('s1', 'test-1', '2026-07-01 12:00:00', NULL)")
    puller = Puller(mapping=default_mapping("Europe/Berlin"))
    summer, winter = (payload["client_ts"] for payload in puller.payloads("answers"))
    assert (summer, winter) == ("2026-07-01T10:00:00Z", "2026-01-01T11:00:00Z")
    window = {"start": dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)}
    assert puller.keys("answers", **window) == ["1"]


def test_answers_without_a_zone_compare_with_submissions_that_have_one(school):
    school.execute('ALTER TABLE answers ALTER "timestamp" TYPE timestamp')
    school.answer(1, at="2026-07-01 12:00:00")  # 10:00 UTC
    school.execute("INSERT INTO submissions VALUES ('s1', 'test-1', '2026-07-01 10:30Z', NULL)")
    puller = Puller(mapping=default_mapping("Europe/Berlin"))
    [payload] = puller.payloads("submissions")
    assert payload["session_id"] == "session-1"


def test_hashes_do_not_depend_on_how_the_database_stores_a_time(school, puller):
    school.answer(1)
    [before] = puller.payloads("answers")
    school.execute('ALTER TABLE answers ALTER "timestamp" TYPE timestamp')
    other = Puller(mapping=default_mapping("UTC"))
    [after] = other.payloads("answers")
    assert after == before


def test_values_are_those_that_postgresql_writes(school):
    """As capture sees them: a boolean is t, and blanks that fill up CHARACTER(n) mean nothing."""
    school.execute(
        "ALTER TABLE questions ALTER correct_option TYPE character(5); "
        "ALTER TABLE questions ADD easy boolean DEFAULT true, ADD address inet DEFAULT '1.2.3.4', "
        "ADD tags text[] DEFAULT '{a,NULL}'"
    )
    school.answer(1)
    tables = dict(default_mapping().tables)
    columns = {name: name for name in ("correct_option", "easy", "address", "tags")}
    tables["questions"] = dataclasses.replace(tables["questions"], columns=columns)
    puller = Puller(mapping=SourceMapping(tables))
    [payload] = puller.payloads("questions")
    expected = {"correct_option": "B", "easy": "t", "address": "1.2.3.4", "tags": "{a,NULL}"}
    assert payload["row"] == expected
    [payload] = puller.payloads("answers", full=True)
    assert payload["is_correct_answer"] is True


def test_under_a_key_no_id_can_be_guessed(school, puller):
    school.answer(1)
    [row] = puller.rows("answers")
    plain, hidden = puller.events(row), puller.events(row, key=b"secret")
    assert plain[0].version.split("@")[0] != hidden[0].version.split("@")[0]
    assert values.digest(["1"], b"a") != values.digest(["1"], b"b") != values.digest(["1"], None)


def test_hashes_never_change():
    """A fact that is stored has them in its event_id."""
    assert values.digest(["1"], None) == "8ff4154a2448e576"
    assert values.digest(["s1", None, "", "ü"], None) == "3d759443c5ff933b"
    assert values.digest(["1"], b"secret") == "a6de674f605dd5d2"
    assert values.canonical_time("2026-03-02 10:05:00+00", None) == "1772445900000000us"


def test_an_answer_keeps_its_event_id_from_version_to_version(school, puller):
    """If this fails, a pull stores every answer of the past a second time."""
    school.answer(1)
    [payload] = puller.payloads("answers")
    assert payload["event_id"] == "answers:8ff4154a2448e576:ab1c82dbda06bc1a"


def test_sequences_that_look_alike_have_different_hashes():
    alike = [["ab"], ["a", "b"], ["a", "", "b"], ["ab", None], [None, "ab"], ["ab", ""], [], [None]]
    assert len({values.digest(texts, None) for texts in alike}) == len(alike)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02 10:00:00.12+00", "2026-03-02T10:00:00.120000Z"),
        ("2026-03-02 10:00:00-07:30", "2026-03-02T17:30:00Z"),
        ("2026-03-02", "2026-03-01T23:00:00Z"),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),  # passed twice: the first
        ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),  # in UTC, before year 1
        ("-infinity", "-infinity"),
        (None, None),
    ],
)
def test_times_are_in_utc_and_what_is_no_time_stays(text, expected):
    assert values.rfc3339(text, "Europe/Berlin") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024:06:01 10", "2024-06-01T08:00:00Z"),
        ("2024-06-01", "2024-05-31T22:00:00Z"),
        ("2024-06-01T10:00:00Z", "2024-06-01T10:00:00Z"),
    ],
)
def test_bounds_of_a_backfill(text, expected):
    assert values.format_time(values.window_bound(text, "Europe/Berlin")) == expected


def test_a_bound_that_is_no_time_is_refused():
    with pytest.raises(ValueError, match="must be a time such as"):
        values.window_bound("yesterday", None)
