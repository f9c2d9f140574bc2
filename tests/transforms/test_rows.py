import datetime as dt
import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sinks.insert_rows import json_row
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.lateness import DeadlineSource, LatenessResult, LateStatus
from tests.transforms import strategies
from tests.transforms.builders import NOW, ROWS, accept, accepted, row_dict
from transforms.rows import columns, json_text, timestamp

INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
LATE = LatenessResult(
    late_status=LateStatus.LATE,
    is_late_submission=True,
    late_by_seconds=1.5,
    deadline_ts=NOW.astimezone(INDIA),
    deadline_source=DeadlineSource.PAYLOAD,
)


def test_a_full_row() -> None:
    sent = accepted(
        extra='{"z":1}',
        client_ts=dt.datetime(2026, 3, 3, 1, 0, 0, 1, INDIA),
        question_id="q1",
        answer="B",
        is_correct_answer=1,
        attempt_no=2,
        session_start_ts=NOW,
        session_expiry_ts=NOW,
        session_duration_seconds=60,
        is_late_submission=0,
        error_payload={"b": 1, "a": {"d": None, "c": "é"}},
        completion_status="completed",
    )
    assert json_row(ROWS.columns, ROWS.build(sent, LATE, NOW)) == {
        "event_id": "e1",
        "event_type": "page_view",
        "test_id": "t1",
        "student_id": "s1",
        "session_id": "x1",
        "client_ts": "2026-03-02T19:30:00.000001+00:00",
        "question_id": "q1",
        "answer": "B",
        "is_correct_answer": True,
        "attempt_no": 2,
        "session_start_ts": "2026-03-02T10:00:00+00:00",
        "session_expiry_ts": "2026-03-02T10:00:00+00:00",
        "session_duration_seconds": 60,
        "client_is_late_submission": False,
        "error_payload": '{"a":{"c":"é","d":null},"b":1}',
        "completion_status": "completed",
        "extra": '{"z":1}',
        "event_date": "2026-03-02",
        "publish_ts": "2026-03-02T10:00:00+00:00",
        "ingest_ts": "2026-03-02T10:00:00+00:00",
        "message_id": "m1",
        "pipeline_version": "1.2.3",
        "contract_version": "1.1",
        "late_status": "LATE",
        "is_late_submission": True,
        "late_by_seconds": 1.5,
        "deadline_ts": "2026-03-02T10:00:00+00:00",
        "deadline_source": "payload",
    }


def test_what_is_not_there_is_null() -> None:
    filled = {name for name, value in row_dict(accepted()).items() if value is not None}
    assert filled == {
        *("event_id", "event_type", "test_id", "student_id", "session_id", "client_ts"),
        *("event_date", "publish_ts", "ingest_ts", "message_id", "pipeline_version"),
        *("contract_version", "late_status"),
    }


@given(sent=strategies.events, extra=st.none() | strategies.json_objects.map(json_text))
def test_every_row_has_plain_values_for_the_columns_of_the_family(
    sent: Any, extra: str | None
) -> None:
    made = row_dict(accept(sent, extra), LATE)
    assert tuple(made) == columns(EXAM_EVENT)
    as_json = json_row(ROWS.columns, tuple(made.values()))
    assert json.loads(json.dumps(as_json, allow_nan=False)) == as_json
    assert made["extra"] == extra


@given(sent=strategies.events)
def test_a_row_says_what_the_event_says(sent: Any) -> None:
    made = row_dict(accept(sent))
    for name, column in ((n, EXAM_EVENT.renamed.get(n, n)) for n in sent.__struct_fields__):
        value, stored = getattr(sent, name), made[column]
        if isinstance(value, dict):
            stored = json.loads(stored)
        assert stored == value
    assert made["event_date"] == sent.client_ts.astimezone(dt.UTC).date()
    flags = (made["is_correct_answer"], made["client_is_late_submission"])
    assert all(flag is None or type(flag) is bool for flag in flags)


@given(value=strategies.timestamps)
def test_timestamps_are_utc_to_the_microsecond(value: dt.datetime) -> None:
    text = timestamp(value)
    assert text.endswith("+00:00")
    assert dt.datetime.fromisoformat(text) == value


@given(value=strategies.json_objects)
def test_json_text_is_the_same_for_equal_values(value: dict[str, Any]) -> None:
    assert json_text(dict(reversed(value.items()))) == json_text(value)
    assert msgspec.json.decode(json_text(value)) == value


def test_the_event_date_is_the_utc_date() -> None:
    midnight = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    for client_ts, date in [
        (midnight, "2026-03-02"),
        (midnight - dt.timedelta(microseconds=1), "2026-03-01"),
        (dt.datetime(2026, 3, 2, 5, 29, tzinfo=INDIA), "2026-03-01"),
        (dt.datetime(2026, 3, 2, 5, 30, tzinfo=INDIA), "2026-03-02"),
    ]:
        assert row_dict(accepted(client_ts=client_ts))["event_date"].isoformat() == date
