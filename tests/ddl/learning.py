"""The views of learner events in plain Python: no SQL and no constant of what it checks."""

import collections
import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.ddl import oracle

Row = dict[str, Any]
Tables = dict[str, list[Row]]

SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)
LONGEST = dt.timedelta(seconds=300)
COUNTED = {
    "page_views": "page_view",
    "interactions": "interaction",
    "assessments_started": "assessment_start",
    "assessments_completed": "assessment_complete",
    "lessons_started": "lesson_start",
    "lessons_completed": "lesson_complete",
    "errors": "error",
}


def views(tables: Tables, first: dt.date, last: dt.date) -> dict[str, list[Row]]:
    """The rows of the views with a function, in no order."""
    events = _kept(tables["learner_events_fact"])
    minutes = [row for row in _minutes(events) if first <= row["partition_date"] <= last]
    trends = [row for row in _trends(deltas(tables)) if first <= row["partition_date"] <= last]
    return {
        "raw_events": [_raw(row) for row in events if first <= row["timestamp"].date() <= last],
        "minute_metrics": minutes,
        "session_metrics": [
            row for row in _sessions(events) if first <= row["partition_date"] <= last
        ],
        "learner_activity_summary": _activity(minutes),
        "content_mastery_trends": trends,
    }


def evidence(tables: Tables) -> list[Row]:
    """The rows of mastery_evidence."""
    attempts = [*_completions(tables), *_answers(tables)]
    firsts = [
        min(same, key=lambda a: (a["evidence_ts"], a["event_id"]))
        for same in _by(attempts, "learner_id", "item_type", "source_id", "item_id").values()
    ]
    return [
        {name: value for name, value in attempt.items() if name != "skills"}
        | {"content_type": kind, "content_id": content}
        for attempt in firsts
        for kind, content in (
            ("lesson" if attempt["item_type"] == "lesson" else "assessment", attempt["source_id"]),
            *(("skill", skill) for skill in sorted(set(attempt["skills"]))),
        )
    ]


def deltas(tables: Tables) -> list[Row]:
    """The rows of mastery_deltas."""
    settings = {(r["content_type"], r["content_id"]): r for r in tables["mastery_settings"]}
    found = []
    for key, pieces in _by(evidence(tables), "learner_id", "content_type", "content_id").items():
        rows = [settings.get((key[1], key[2]), {}), settings.get((None, None), {})]
        mean = next((r["prior_mean"] for r in rows if r.get("prior_mean")), "0.5")
        weight = next((r["prior_weight"] for r in rows if r.get("prior_weight")), "2")
        found += _history(pieces, Fraction(mean), Fraction(weight))
    return found


def _history(pieces: list[Row], mean: Fraction, weight: Fraction) -> Iterator[Row]:
    total, before = mean * weight, _rounded(mean, 4)
    order = ("evidence_ts", "event_id", "item_type", "source_id", "item_id")
    for count, piece in enumerate(sorted(pieces, key=lambda p: [p[name] for name in order]), 1):
        total += Fraction(piece["score"])
        after = _rounded(total / (weight + count), 4)
        yield {
            **piece,
            "trigger_event_id": piece["event_id"],
            "trigger_event_type": piece["event_type"],
            "score": _rounded(Fraction(piece["score"]), 4),
            "previous_mastery": before,
            "current_mastery": after,
            "mastery_delta": after - before,
            "confidence_score": _rounded(count / (weight + count), 4),
            "evidence_count": count,
            "event_id": None,
            "event_type": None,
        }
        before = after


def _rounded(value: Fraction, digits: int) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _by(rows: Iterable[Row], *keys: str) -> dict[tuple[Any, ...], list[Row]]:
    groups = collections.defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def _kept(rows: list[Row]) -> list[Row]:
    """Of the copies of an event of one date, the first."""
    copies = _by(map(_timed, rows), "event_date", "event_id").values()
    return [min(same, key=lambda row: (row["publish_ts"], row["message_id"])) for same in copies]


def _timed(row: Row) -> Row:
    names = ("timestamp", "client_ts", "publish_ts", "processed_at", "ingest_ts", "version_ts")
    return row | {name: dt.datetime.fromisoformat(row[name]) for name in names if name in row}


def _raw(row: Row) -> Row:
    path, _, number = row["message_id"].rpartition(":")
    shown = ("event_id", "learner_id", "session_id", "event_type", "timestamp", "data", "version")
    return {name: row.get(name) for name in shown} | {
        "partition_date": row["timestamp"].date(),
        "processed_at": row["processed_at"],
        "created_at": row["processed_at"],
        "source_path": path if len(number) == 9 else None,
    }


def _minutes(events: list[Row]) -> list[Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for (learner, session), own in _by(events, "learner_id", "session_id").items():
        ordered = sorted(own, key=lambda row: (row["timestamp"], row["event_id"]))
        ends = [row["timestamp"] for row in ordered[1:]] + [ordered[-1]["timestamp"]]
        for event, following in zip(ordered, ends, strict=True):
            begin = event["timestamp"]
            end = min(following, begin + LONGEST)
            minute = begin.replace(second=0, microsecond=0)
            while minute < end or minute <= begin:
                row = found.setdefault(
                    (learner, session, minute), _empty_minute(learner, session, minute)
                )
                active = max(min(end, minute + MINUTE) - max(begin, minute), dt.timedelta())
                row["time_spent_seconds"] += Decimal(active // (SECOND / 1_000_000)) / 1_000_000
                row["created_at"] = min(row["created_at"], event["processed_at"])
                if minute <= begin:
                    row["total_events"] += 1
                    for name, kind in COUNTED.items():
                        row[name] += event["event_type"] == kind
                minute += MINUTE
    return list(found.values())


def _empty_minute(learner: str, session: str, minute: dt.datetime) -> Row:
    key = {"learner_id": learner, "session_id": session, "minute_ts": minute}
    sums = dict.fromkeys(("total_events", *COUNTED), 0) | {"time_spent_seconds": Decimal(0)}
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return {"partition_date": minute.date(), **key, **sums, "created_at": never}


def _sessions(events: list[Row]) -> list[Row]:
    return [_session(*key, own) for key, own in _by(events, "learner_id", "session_id").items()]


def _session(learner: str, session: str, events: list[Row]) -> Row:
    times = [row["timestamp"] for row in events]
    written = [row["processed_at"] for row in events]

    def contents(key: str, *types: str) -> int:
        return len({row["data"][key] for row in events if row["event_type"] in types})

    lessons = contents("lesson_id", "lesson_start", "lesson_complete")
    lessons_done = contents("lesson_id", "lesson_complete")
    tests = contents("assessment_id", "assessment_start", "assessment_complete")
    tests_done = contents("assessment_id", "assessment_complete")
    scores = [
        Fraction(str(row["data"]["score"]))
        for row in events
        if row["event_type"] == "assessment_complete" and "score" in row["data"]
    ]
    pages = {row["data"].get("page_id") for row in events if row["event_type"] == "page_view"}
    kinds = [row["event_type"] for row in events]
    attempted = lessons + tests
    return {
        "partition_date": min(times).date(),
        "learner_id": learner,
        "session_id": session,
        "session_start": min(times),
        "session_end": max(times),
        "duration_seconds": (max(times) - min(times)) / SECOND,
        "total_events": len(events),
        "unique_pages": len(pages - {None}),
        "total_interactions": kinds.count("interaction"),
        "lessons_attempted": lessons,
        "lessons_completed": lessons_done,
        "assessments_attempted": tests,
        "assessments_completed": tests_done,
        "avg_assessment_score": _rounded(sum(scores) / len(scores), 2) if scores else None,
        "completion_rate": (lessons_done + tests_done) / attempted if attempted else None,
        "last_activity": max(times),
        "is_ended": "session_end" in kinds,
        "is_active": False,
        "created_at": min(written),
        "updated_at": max(written),
    }


def _activity(minutes: list[Row]) -> list[Row]:
    found = []
    for (learner, day), own in _by(minutes, "learner_id", "partition_date").items():
        seconds = sum(Fraction(row["time_spent_seconds"]) for row in own)
        found.append(
            {
                "partition_date": day,
                "learner_id": learner,
                "activity_date": day,
                "daily_events": sum(row["total_events"] for row in own),
                "hours_spent": _rounded(seconds / 3600, 9),
                "sessions": len({row["session_id"] for row in own}),
                "lessons_completed": sum(row["lessons_completed"] for row in own),
                "assessments_completed": sum(row["assessments_completed"] for row in own),
                "created_at": min(row["created_at"] for row in own),
            }
        )
    return found


def _completions(tables: Tables) -> Iterator[Row]:
    for row in _kept(tables["learner_events_fact"]):
        kind, _, end = row["event_type"].partition("_")
        if end == "complete" and "score" in row["data"]:
            item = row["data"][f"{kind}_id"]
            of_item = {"item_type": kind, "item_id": item, "source_id": item}
            score = Decimal(str(row["data"]["score"])) / 100
            yield (
                _attempt(row, row["timestamp"], score, row["processed_at"])
                | of_item
                | {
                    "learner_id": row["learner_id"],
                    "skills": row["data"].get("skill_ids", []),
                }
            )


def _answers(tables: Tables) -> Iterator[Row]:
    """Exam answers; no exam event is sent twice here."""
    events = oracle.named([_timed(row) for row in tables["events_fact"]])
    questions: dict[tuple[str, str], Row] = {}
    for change in sorted(tables["dimension_changes_fact"], key=lambda row: row["version_ts"]):
        questions[change["row"]["test_id"], change["key"]] = change["row"]
    for session in _by(events, "session_id").values():
        order = ("client_ts", "publish_ts", "event_id", "event_type")
        first = min(session, key=lambda row: [row[name] for name in order])
        for row in session:
            if not row["event_type"].startswith("answer"):
                continue
            question = questions.get((first["test_id"], row["question_id"]), {})
            correct = row.get("is_correct_answer")
            if question.get("correct_option") and row.get("answer"):
                correct = row["answer"] == question["correct_option"]
            skill = question.get("skill_id") or question.get("topic")
            if correct is not None:
                yield _attempt(row, row["client_ts"], Decimal(correct), row["ingest_ts"]) | {
                    "learner_id": first["student_id"],
                    "item_type": "question",
                    "item_id": row["question_id"],
                    "source_id": first["test_id"],
                    "skills": [skill] if skill else [],
                }


def _attempt(row: Row, moment: dt.datetime, score: Decimal, written: dt.datetime) -> Row:
    own = {name: row[name] for name in ("event_id", "event_type", "session_id")}
    at = {"evidence_ts": moment, "partition_date": moment.date()}
    return own | at | {"score": score, "created_at": written}


def _trends(rows: list[Row]) -> Iterator[Row]:
    for (kind, content, day), own in _by(
        rows, "content_type", "content_id", "partition_date"
    ).items():
        learners = _by(own, "learner_id").values()
        lasts = [max(pieces, key=lambda row: row["evidence_count"]) for pieces in learners]

        def mean(values: Iterable[Decimal], count: int = len(learners)) -> Decimal:
            return _rounded(Fraction(sum(values)) / count, 4)

        yield {
            "partition_date": day,
            "content_type": kind,
            "content_id": content,
            "mastery_date": day,
            "learners_affected": len(learners),
            "avg_mastery_change": mean(row["mastery_delta"] for row in own),
            "avg_current_mastery": mean(row["current_mastery"] for row in lasts),
            "avg_confidence": mean(row["confidence_score"] for row in lasts),
            "created_at": min(row["created_at"] for row in own),
        }
