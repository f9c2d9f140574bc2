"""The eight views in plain Python, from the rows of the tables and the text of DESIGN 5 to 7.

Shares no code with what it checks: neither the rule in transforms/lateness/rule.py nor any SQL,
and no constant of ours. Rows are as the tables take them: timestamps are text.
"""

import collections
import dataclasses
import datetime as dt
import statistics
from collections.abc import Callable, Iterable
from typing import Any

from tests.ddl import conflict_oracle, dimension_oracle
from tests.support import lateness_oracle

Row = dict[str, Any]
Tables = dict[str, list[Row]]

MARGIN = dt.timedelta(days=8)
SECOND = dt.timedelta(seconds=1)
ANSWERS = ("answer_submit", "answer_resubmit")
SENT_ANSWERS = (*ANSWERS, "answer")


def moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def views(tables: Tables, first: dt.date, last: dt.date) -> dict[str, list[Row]]:
    """The rows of every view for these dates, in no order."""
    copies, judged, sessions = _read(tables, first, last)
    summaries = [session_summary(session) for session in sessions]
    questions = _questions(sessions)
    return {
        "events": [row for row in judged if first <= row["client_ts"].date() <= last],
        "event_conflicts": [
            conflict
            for rows in copies.values()
            if (conflict := conflict_oracle.conflict(rows))
            and first <= conflict["event_date"] <= last
        ],
        "session_summary": summaries,
        "question_summary": questions,
        "test_summary": test_summaries(summaries),
        "session_starts_by_hour": _by_hour(summaries, "session_start_time", "session_starts"),
        "session_completions_by_hour": _by_hour(
            summaries, "session_end_time", "session_completions"
        ),
        "wrong_answers_by_question": [
            {name: row[name] for name in ("test_id", "question_id", "wrong_answers")}
            for row in questions
            if row["wrong_answers"]
        ],
    }


def sessions(tables: Tables, first: dt.date, last: dt.date) -> list[list[Row]]:
    """The events of each session of these dates, in order, their lateness judged."""
    return _read(tables, first, last)[2]


def _read(tables: Tables, first: dt.date, last: dt.date) -> tuple[Any, list[Row], list[list[Row]]]:
    """Copies by event_id, one row per event with its lateness, and sessions."""
    read = {
        name: [_timed(row) for row in rows if _within(row, first - MARGIN, last + MARGIN)]
        for name, rows in tables.items()
        if name in ("events_fact", "dead_letters", "session_changes_fact")
    }
    changes = [_timed(row) for row in tables.get("dimension_changes_fact", [])]
    settings = dimension_oracle.rules(tables.get("lateness_settings", []), changes)
    expiries = dimension_oracle.expiries(read.get("session_changes_fact", []))
    copies = _grouped(read["events_fact"], "event_id")
    kept = named([min(rows, key=conflict_oracle.copy_order) for rows in copies.values()])
    starts = _grouped(kept, "session_id", _is("session_start"))
    judged = [
        _judged(row, starts.get(row["session_id"], []), settings, expiries.get(row["session_id"]))
        for row in kept
    ]
    found = [
        session
        for session in _sessions(judged, _store_errors(read.get("dead_letters", [])))
        if first <= session[0]["client_ts"].date() <= last
    ]
    return copies, judged, found


def named(events: list[Row]) -> list[Row]:
    """Each answer as answer_submit or answer_resubmit, whichever it is in its session."""
    first = {}
    for row in sorted(events, key=lambda e: (e["client_ts"], e["publish_ts"], e["event_id"])):
        if row["event_type"] in SENT_ANSWERS:
            first.setdefault((row["session_id"], row["question_id"]), row["event_id"])

    def name(row: Row) -> str:
        if row["event_type"] != "answer":
            return row["event_type"]
        is_first = first[row["session_id"], row["question_id"]] == row["event_id"]
        return ANSWERS[0] if is_first else ANSWERS[1]

    return [row | {"event_type": name(row)} for row in events]


def _within(row: Row, first: dt.date, last: dt.date) -> bool:
    """By partition."""
    date = row["event_date"] if "event_date" in row else row["failed_date"]
    return first <= dt.date.fromisoformat(date) <= last


def _judged(
    row: Row, starts: Iterable[Row], settings: Iterable[Row], expiry: dt.datetime | None
) -> Row:
    sent = row | {"is_late_submission": row.get("client_is_late_submission")}
    return row | dataclasses.asdict(lateness_oracle.answer(sent, starts, settings, expiry))


def _timed(row: Row) -> Row:
    times = ("_ts", "_time", "_at")
    return {name: moment(v) if name.endswith(times) else v for name, v in row.items()}


def _grouped(
    rows: Iterable[Row], key: str, wanted: Callable[[Row], bool] = lambda row: True
) -> dict[str, list[Row]]:
    groups = collections.defaultdict(list)
    for row in rows:
        if wanted(row):
            groups[row[key]].append(row)
    return groups


def _is(*types: str) -> Callable[[Row], bool]:
    return lambda row: row["event_type"] in types


def _store_errors(letters: list[Row]) -> list[Row]:
    """Of each store error the first letter, whatever its session."""
    errors = [row for row in letters if row["error_kind"] == "store_error"]
    first = [
        min(rows, key=lambda row: (row["publish_time"], row["message_id"]))
        for rows in _grouped(errors, "event_id").values()
    ]
    return [row | {"event_type": "store_error", "publish_ts": row["publish_time"]} for row in first]


def _sessions(events: list[Row], errors: list[Row]) -> list[list[Row]]:
    """The events of each session, in order."""

    def order(row: Row) -> tuple[Any, ...]:
        return row["client_ts"], row["publish_ts"], row["event_id"], row["event_type"]

    return [sorted(rows, key=order) for rows in _grouped([*events, *errors], "session_id").values()]


def answers(session: list[Row]) -> dict[str, list[Row]]:
    """The answers to each question, in order."""

    def order(row: Row) -> tuple[Any, ...]:
        return row["client_ts"], row.get("attempt_no") or 0, row["publish_ts"], row["event_id"]

    return {
        question: sorted(rows, key=order)
        for question, rows in _grouped(session, "question_id", _is(*ANSWERS)).items()
    }


def _counts(events: list[Row], last_answers: list[Row]) -> Row:
    """What session_summary and question_summary count alike."""
    types = collections.Counter(row["event_type"] for row in events)
    submits = [row.get("is_correct_answer") for row in events if row["event_type"] == ANSWERS[0]]
    finals = [row.get("is_correct_answer") for row in last_answers]
    return {
        "total_page_views": types["page_view"],
        "total_resubmits": types["answer_resubmit"],
        "correct_answers": submits.count(True),
        "wrong_answers": submits.count(False),
        "final_correct_answers": finals.count(True),
        "final_wrong_answers": finals.count(False),
        "late_submissions": sum(bool(row.get("is_late_submission")) for row in events),
    }


def session_summary(events: list[Row]) -> Row:
    starts, ends = (
        [row["client_ts"] for row in events if row["event_type"] == f"session_{side}"]
        for side in ("start", "end")
    )
    start, end = min(starts, default=None), max(ends, default=None)
    effective = end or events[-1]["client_ts"]
    types = collections.Counter(row["event_type"] for row in events)
    return {
        **_counts(events, [given[-1] for given in answers(events).values()]),
        **{name: events[0][name] for name in ("session_id", "test_id", "student_id")},
        "session_start_time": start,
        "session_end_time": end,
        "effective_session_end_time": effective,
        "duration_seconds": None if start is None else max((effective - start) / SECOND, 0),
        "is_complete": bool(start and end),
        "total_answers_submitted": types["answer_submit"] + types["answer_resubmit"],
        "total_store_errors": types["store_error"],
        "test_submit_flag": min(types["test_submit"], 1),
    }


def _questions(sessions: list[list[Row]]) -> list[Row]:
    events, firsts, lasts = (collections.defaultdict(list) for _ in range(3))
    for session in sessions:
        test = session[0]["test_id"]
        for row in session:
            if row.get("question_id") is not None and row["event_type"] != "store_error":
                events[test, row["question_id"]].append(row)
        for question, given in answers(session).items():
            firsts[test, question].append(given[0])
            lasts[test, question].append(given[-1])
    return [_question(key, rows, firsts[key], lasts[key]) for key, rows in events.items()]


def _question(key: tuple[str, str], events: list[Row], firsts: list[Row], lasts: list[Row]) -> Row:
    counts = _counts(events, lasts)
    attempts = sum(row["event_type"] in ANSWERS for row in events)
    graded = [v for row in firsts if (v := row.get("is_correct_answer")) is not None]
    times = [row["client_ts"] for row in events]
    return counts | {
        "test_id": key[0],
        "question_id": key[1],
        "total_attempts": attempts,
        "wrong_answer_rate": counts["wrong_answers"] / attempts if attempts else 0,
        "first_answer_error_rate": graded.count(False) / len(graded) if graded else None,
        "first_seen_ts": min(times),
        "last_seen_ts": max(times),
    }


def test_summaries(summaries: list[Row]) -> list[Row]:
    sums = ("correct_answers", "wrong_answers", "late_submissions")
    return [
        {name: sum(session[name] for session in own) for name in sums}
        | {
            "test_id": test,
            "sessions": len(own),
            "completed_sessions": sum(session["is_complete"] for session in own),
            "submitted_sessions": sum(session["test_submit_flag"] for session in own),
            "total_answers": sum(session["total_answers_submitted"] for session in own),
            "mean_duration_seconds": _mean([session["duration_seconds"] for session in own]),
        }
        for test, own in _grouped(summaries, "test_id").items()
    ]


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _by_hour(summaries: list[Row], time: str, count: str) -> list[Row]:
    hours = collections.Counter(
        summary[time].replace(minute=0, second=0, microsecond=0)
        for summary in summaries
        if summary[time]
    )
    return [{"hour": hour, count: number} for hour, number in hours.items()]
