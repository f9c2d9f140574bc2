"""The stored tables in plain Python, from the rows of the tables and the words of the contract.

Shares no code with any SQL; sessions, copies and lateness are those of oracle.py. student_key,
which only BigQuery's own hash can make, is left out.
"""

import collections
import datetime as dt
from typing import Any

from tests.ddl import oracle

Row = dict[str, Any]
Tables = dict[str, list[Row]]
SECOND = dt.timedelta(seconds=1)
ALWAYS = dt.date(1970, 1, 1), dt.date(2150, 1, 1)
ANSWERS = ("answer_submit", "answer_resubmit")


def stored(tables: Tables) -> dict[str, list[Row]]:
    """The rows of every stored table, in no order, without student_key, test_bucket and times."""
    dimensions = tables.get("dimension_changes_fact", [])
    sessions, questions = [], []
    keys = {
        (row["row"]["test_id"], row["row"]["question_id"]): row["row"].get("correct_option")
        for row in _by_version(dimensions, "question")
        if row["op"] == "upsert"
    }
    for events in oracle.sessions(tables, *ALWAYS):
        session = _session(events, dimensions)
        sessions.append(session)
        questions += _questions(events, session, keys)
    interactions = _interactions(questions)
    return {
        "sessions_fact": sessions,
        "session_questions_fact": questions,
        "question_interaction_fact": interactions,
        "test_summary_fact": _test_summaries(sessions, interactions, dimensions),
        "test_funnel_fact": [_funnel(test, own) for test, own in _by(sessions, "test_id")],
        "test_summary_daily": [
            {"session_date": day, **row}
            for day, own in _by(sessions, "session_date")
            for row in oracle.test_summaries(own)
        ],
        "question_summary_daily": [
            _question_day(key, own)
            for key, own in _by(questions, "session_date", "test_id", "question_id")
        ],
    }


def _by_version(dimensions: list[Row], dimension: str) -> list[Row]:
    own = [row for row in dimensions if row["dimension"] == dimension]
    return sorted(own, key=lambda row: row["version_ts"])


def _by(rows: list[Row], *names: str) -> list[tuple[Any, list[Row]]]:
    groups = collections.defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in names)
        groups[key if len(names) > 1 else key[0]].append(row)
    return list(groups.items())


def _session(events: list[Row], dimensions: list[Row]) -> Row:
    summary = oracle.session_summary(events)
    began = summary["session_start_time"] or events[0]["client_ts"]
    submits = [row for row in events if row["event_type"] == "test_submit"]
    student: Row = {}
    versions = [
        row for row in _by_version(dimensions, "student") if row["key"] == summary["student_id"]
    ]
    for version in versions:
        if version is versions[0] or oracle.moment(version["version_ts"]) <= began:
            student = version["row"]
    teachers = [
        row["row"].get("teacher_id")
        for row in _by_version(dimensions, "test")
        if row["key"] == summary["test_id"] and row["op"] == "upsert"
    ]
    return summary | {
        "session_date": events[0]["client_ts"].date(),
        "began": began,
        "first_event_time": events[0]["client_ts"],
        "last_event_time": events[-1]["client_ts"],
        "last_test_submit_time": submits[-1]["client_ts"] if submits else None,
        "completion_status": (submits[-1].get("completion_status") or "completed")
        if submits
        else None,
        "school_id": student.get("school_id"),
        "teacher_id": student.get("teacher_id"),
        "test_teacher_id": teachers[-1] if teachers else None,
    }


def _questions(events: list[Row], session: Row, keys: dict[Any, Any]) -> list[Row]:
    answers = oracle.answers(events)
    asked = [
        row
        for row in events
        if row.get("question_id") is not None and row["event_type"] != "store_error"
    ]
    found = []
    for question, own in _by(asked, "question_id"):
        given = answers.get(question, [])
        option = keys.get((session["test_id"], question))

        def grade(row: Row, option: Any = option) -> Any:
            if option is None or row.get("answer") is None:
                return row.get("is_correct_answer")
            return row["answer"] == option

        types = collections.Counter(row["event_type"] for row in own)
        submits = [row.get("is_correct_answer") for row in own if row["event_type"] == ANSWERS[0]]
        graded = [row["event_id"] for row in given if grade(row) is not None]
        times = [row["client_ts"] for row in given]
        same = ("session_id", "session_date", "test_id", "student_id", "school_id")
        found.append(
            {name: session[name] for name in same}
            | {
                "question_id": question,
                "first_seen": min(row["client_ts"] for row in own),
                "last_seen": max(row["client_ts"] for row in own),
                "first_answer_time": min(times, default=None),
                "last_answer_time": max(times, default=None),
                "answer_count": len(given),
                "resubmits": types["answer_resubmit"],
                "page_views": types["page_view"],
                "late_submissions": sum(bool(row.get("is_late_submission")) for row in own),
                "correct_submits": submits.count(True),
                "wrong_submits": submits.count(False),
                "app_first_is_correct": given[0].get("is_correct_answer") if given else None,
                "app_final_is_correct": given[-1].get("is_correct_answer") if given else None,
                "first_is_correct": grade(given[0]) if given else None,
                "final_is_correct": grade(given[-1]) if given else None,
                "first_graded_event_id": graded[0] if graded else None,
                "final_answer_option": given[-1].get("answer") if given else None,
            }
        )
    return found


def _interactions(questions: list[Row]) -> list[Row]:
    answered = [row for row in questions if row["answer_count"]]
    found = []
    for (student, test, question), own in _by(answered, "student_id", "test_id", "question_id"):
        final = max(own, key=lambda row: (row["last_answer_time"], row["session_id"]))
        first = min(row["first_answer_time"] for row in own)
        count = sum(row["answer_count"] for row in own)
        found.append(
            {
                "student_id": student,
                "test_id": test,
                "question_id": question,
                "school_id": final["school_id"],
                "first_answer_time": first,
                "last_answer_time": final["last_answer_time"],
                "answer_count": count,
                "final_answer_option": final["final_answer_option"],
                "is_correct": final["final_is_correct"],
                "revisited": count > 1,
                "time_spent_seconds": (final["last_answer_time"] - first) / SECOND,
            }
        )
    return found


def _test_summaries(sessions: list[Row], answered: list[Row], dimensions: list[Row]) -> list[Row]:
    known = {row["key"]: row for row in _by_version(dimensions, "question")}
    listed = collections.Counter(
        row["row"]["test_id"] for row in known.values() if row["op"] == "upsert"
    )
    by_anyone = collections.defaultdict(set)
    for row in answered:
        by_anyone[row["test_id"]].add(row["question_id"])
    own_answers = dict(_by(answered, "student_id", "test_id"))
    found = []
    for (student, test), own in _by(sessions, "student_id", "test_id"):
        answers = own_answers.get((student, test), [])
        total = listed[test] or len(by_anyone[test])
        correct = sum(row["is_correct"] is True for row in answers)
        spent = [row["last_event_time"] - row["first_event_time"] for row in own]
        found.append(
            {
                "student_id": student,
                "test_id": test,
                "school_id": max(own, key=lambda r: (r["began"], r["session_id"]))["school_id"],
                "total_questions": total,
                "questions_attempted": len(answers),
                "correct_answers": correct,
                "accuracy_percent": 100 * correct / len(answers) if answers else 0,
                "score_percent": 100 * correct / total if total else 0,
                "time_spent_seconds": sum(spent, dt.timedelta()) / SECOND,
                "late_submissions": sum(row["late_submissions"] for row in own),
            }
        )
    return found


def _funnel(test: str, own: list[Row]) -> Row:
    statuses = [row["completion_status"] for row in own]
    total = len(statuses) - statuses.count(None)
    times = [
        row["last_test_submit_time"] - row["began"] for row in own if row["last_test_submit_time"]
    ]
    mean = sum(times, dt.timedelta()) / SECOND / len(times) if times else None
    return {
        "test_id": test,
        "sessions_started": len(own),
        "sessions_answered": sum(row["total_answers_submitted"] > 0 for row in own),
        "total_submissions": total,
        "completed_submissions": statuses.count("completed"),
        "incomplete_submissions": statuses.count("incomplete"),
        "completion_rate": statuses.count("completed") / total if total else None,
        "avg_submit_time_seconds": mean,
    }


def _question_day(key: tuple[Any, ...], own: list[Row]) -> Row:
    attempts = sum(row["answer_count"] for row in own)
    wrong = sum(row["wrong_submits"] for row in own)
    firsts = [row["app_first_is_correct"] for row in own]
    finals = [row["app_final_is_correct"] for row in own]
    graded = len(firsts) - firsts.count(None)
    return {
        **dict(zip(("session_date", "test_id", "question_id"), key, strict=True)),
        "total_page_views": sum(row["page_views"] for row in own),
        "total_attempts": attempts,
        "total_resubmits": sum(row["resubmits"] for row in own),
        "correct_answers": sum(row["correct_submits"] for row in own),
        "wrong_answers": wrong,
        "wrong_answer_rate": wrong / attempts if attempts else 0,
        "first_answer_error_rate": firsts.count(False) / graded if graded else None,
        "final_correct_answers": finals.count(True),
        "final_wrong_answers": finals.count(False),
        "late_submissions": sum(row["late_submissions"] for row in own),
        "first_seen_ts": min(row["first_seen"] for row in own),
        "last_seen_ts": max(row["last_seen"] for row in own),
    }
