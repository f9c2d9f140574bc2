import collections
import datetime as dt

import msgspec
import pytest

from local_runner.traffic.exam_log import Exam, events, payloads, read_log
from schemas.exam_event.event import EventType
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from transforms.decoding.decode import Decoder

START = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
EXAM = Exam("midterm", START, duration_seconds=3_600)


def read(tmp_path, text):
    path = tmp_path / "midterm.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_log(path, START)


def output(log):
    """What each event is, briefly."""
    return [
        (
            event["event_type"],
            event["student_id"],
            event.get("question_id"),
            event.get("attempt_no"),
            (dt.datetime.fromisoformat(event["client_ts"]) - START) / dt.timedelta(milliseconds=1),
        )
        for event in events(log.lines, EXAM)
    ]


def test_a_session_starts_before_its_first_line_and_ends_after_its_last(tmp_path):
    log = read(
        tmp_path, "1000\t7\tq1_1\t0\n2000\t8\tq1_1\t1\n3000\t7\tq1_1\t1\n2500\t7\tq1_2\t0.5\n"
    )
    assert output(log) == [
        ("session_start", "7", None, None, 0),
        ("answer_submit", "7", "q1_1", 1, 1000),
        ("session_start", "8", None, None, 0),
        ("answer_submit", "8", "q1_1", 1, 2000),
        ("test_submit", "8", None, None, 2000),
        ("session_end", "8", None, None, 2000),
        ("answer_resubmit", "7", "q1_1", 2, 3000),
        ("test_submit", "7", None, None, 3000),
        ("session_end", "7", None, None, 3000),
        ("answer_submit", "7", "q1_2", 1, 2500),
    ]


def test_of_lines_at_the_greatest_time_the_last_one_ends_the_session(tmp_path):
    log = read(tmp_path, "5\t7\tq1\t0\n5\t7\tq2\t0\n4\t7\tq3\t0\n")
    assert [kind for kind, *_ in output(log)] == [
        "session_start",
        "answer_submit",
        "answer_submit",
        "test_submit",
        "session_end",
        "answer_submit",
    ]


def test_negative_clocks_are_kept_as_they_are(tmp_path):
    log = read(tmp_path, "-90000\t7\tq1\t1\n-100000\t7\tq1\t1\n")
    assert [(kind, ms) for kind, _, _, _, ms in output(log)] == [
        ("session_start", 0),
        ("answer_submit", -90_000),
        ("test_submit", -90_000),
        ("session_end", -90_000),
        ("answer_resubmit", -100_000),
    ]


def test_only_a_full_score_is_a_correct_answer(tmp_path):
    log = read(tmp_path, "1\t7\tq1\t1\n2\t7\tq2\t1.0\n3\t7\tq3\t0.999\n4\t7\tq4\t0\n")
    answers = [e for e in events(log.lines, EXAM) if "question_id" in e]
    assert [e["is_correct_answer"] for e in answers] == [True, True, False, False]
    assert not any("answer" in e for e in answers)


def test_fields_follow_the_mapping(tmp_path):
    log = read(tmp_path, "1500\t7\tq3_1\t1\n")
    start, answer, *_ = events(log.lines, EXAM)
    assert start["session_duration_seconds"] == 3_600
    assert start["test_id"] == answer["test_id"] == "midterm"
    assert start["session_id"] == answer["session_id"] == "midterm-7"
    assert answer["client_ts"] == "2026-02-01T00:00:01.500000+00:00"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "1 columns instead of 4"),
        (b"1\t7\tq1", "3 columns instead of 4"),
        (b"1\t7\tq1\t1\t1", "5 columns instead of 4"),
        (b"soon\t7\tq1\t1", "the time is not a number"),
        (b"inf\t7\tq1\t1", "the time is not a number"),
        (b"1\t7\tq1\tfull", "the score is not a number"),
        (b"1\t7\tq1\tnan", "the score is not a number"),
        (b"1\t7\tq1\t1.5", "the score is not between 0 and 1"),
        (b"1\t7\tq1\t-0.1", "the score is not between 0 and 1"),
        (b"1\t\xff\tq1\t1", "not UTF-8"),
        (b"1e18\t7\tq1\t1", "the time is out of range"),
        (b"-1e14\t7\tq1\t1", "the time is out of range"),
    ],
)
def test_bad_lines_are_told_with_their_number_and_skipped(line, reason, tmp_path):
    log = read(tmp_path, b"1\t7\tq1\t1\r\n" + line + b"\n2\t7\tq1\t1\n")
    assert [(bad.number, bad.reason) for bad in log.bad_lines] == [(2, reason)]
    assert [good.number for good in log.lines] == [1, 3]
    assert [good.score for good in log.lines] == [1, 1]


def test_ids_come_from_exam_line_and_type(tmp_path):
    log = read(tmp_path, "1\t7\tq1\t1\n2\t7\tq1\t1\n")
    ids = [e["event_id"] for e in events(log.lines, EXAM)]
    assert len(set(ids)) == len(ids) == 5
    assert [e["event_id"] for e in events(log.lines, EXAM)] == ids
    other = [e["event_id"] for e in events(log.lines, Exam("final", START))]
    assert not set(ids) & set(other)


def test_a_whole_log_becomes_valid_events(log_file):
    log = read_log(log_file.path, START)
    assert not log.bad_lines
    decoder = Decoder(EXAM_EVENT)
    decoded = [decoder.decode(payload)[0] for payload in payloads(log.lines, EXAM)]
    kinds = collections.Counter(event.event_type for event in decoded)
    assert kinds[EventType.ANSWER_SUBMIT] + kinds[EventType.ANSWER_RESUBMIT] == log_file.lines
    for kind in (EventType.SESSION_START, EventType.TEST_SUBMIT, EventType.SESSION_END):
        assert kinds[kind] == log_file.students
    assert len({event.event_id for event in decoded}) == len(decoded)
    for event in decoded:
        for rule in EXAM_EVENT.rules:
            rule(event)
    before_the_exam = [e for e in decoded if e.client_ts < START and e.question_id is not None]
    assert len(before_the_exam) == log_file.negative


def test_payloads_are_json_lines(tmp_path):
    log = read(tmp_path, "1\t7\tq1\t1\n")
    bodies = list(payloads(log.lines, EXAM))
    assert not any(b"\n" in body for body in bodies)
    assert [msgspec.json.decode(body) for body in bodies] == list(events(log.lines, EXAM))
