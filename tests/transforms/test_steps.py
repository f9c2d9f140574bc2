"""The steps on Beam's own runners. The clock is the real one: events are of this moment."""

import datetime as dt
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.internal import pickler

from schemas import metrics
from schemas.errors import ErrorKind
from schemas.lateness import LateStatus
from schemas.message import Message
from tests.transforms import builders
from tests.transforms.builders import BOUNDS
from tests.transforms.running import RUN, Outcome, run_steps
from transforms import steps
from transforms.dead_letters import internal_error
from transforms.decoding.decode import MAX_PAYLOAD_BYTES
from transforms.lateness import steps as lateness_steps
from transforms.rows import FactRows
from transforms.validate import Validator

NOW = dt.datetime.now(dt.UTC)
HOUR = dt.timedelta(hours=1)
RUNNERS = ["FnApiRunner", "BundleBasedDirectRunner"]
SECRET = "zanzibar"


def message(data: bytes, message_id: str = "m1") -> Message:
    return builders.message(data, message_id=message_id, publish_time=NOW)


def event_message(**fields: Any) -> Message:
    fields = {"client_ts": NOW} | fields
    text = {k: v.isoformat() if isinstance(v, dt.datetime) else v for k, v in fields.items()}
    return message(builders.payload(**text), message_id=f"of {fields.get('event_id', 'e1')}")


def answer(event_id: str, **fields: Any) -> Message:
    return event_message(event_id=event_id, event_type="answer_submit", question_id="q1", **fields)


ON_TIME = answer("on time", session_expiry_ts=NOW + HOUR)
LATE = answer("late", session_expiry_ts=NOW - HOUR)
UNKNOWN = answer("unknown")
NOT_APPLICABLE = event_message(event_id="not applicable", session_expiry_ts=NOW - HOUR)
STORE_ERROR = event_message(
    event_id="store error", event_type="store_error", error_payload={"code": 7, "wide": 2**70}
)
REFUSED = {
    ErrorKind.NOT_JSON: message(b"{", "not json"),
    ErrorKind.TOO_LARGE: message(b" " * (MAX_PAYLOAD_BYTES + 1), "too large"),
    ErrorKind.SCHEMA_VIOLATION: event_message(event_id="schema violation", attempt_no=0),
    ErrorKind.RULE_VIOLATION: event_message(event_id="rule violation", client_ts=NOW + 100 * HOUR),
    ErrorKind.STORE_ERROR: STORE_ERROR,
}
JUDGED = {
    LateStatus.ON_TIME: ON_TIME,
    LateStatus.LATE: LATE,
    LateStatus.UNKNOWN: UNKNOWN,
    LateStatus.NOT_APPLICABLE: NOT_APPLICABLE,
}
REJECTED = answer("rejected", session_expiry_ts=NOW + HOUR)
EVERYTHING = [*REFUSED.values(), *JUDGED.values(), ON_TIME, REJECTED]


@pytest.fixture(scope="module", params=RUNNERS)
def outcome(request: pytest.FixtureRequest) -> Outcome:
    runner = None if request.param == "FnApiRunner" else request.param
    return run_steps(EVERYTHING, refused=frozenset({"rejected"}), runner=runner)


def test_valid_events_become_rows_with_their_judgement(outcome: Outcome) -> None:
    found = sorted((row["event_id"], row["late_status"]) for row in outcome.rows)
    assert found == [
        ("late", "LATE"),
        ("not applicable", "NOT_APPLICABLE"),
        ("on time", "ON_TIME"),
        ("on time", "ON_TIME"),
        ("unknown", "UNKNOWN"),
    ]
    (late,) = (row for row in outcome.rows if row["event_id"] == "late")
    assert late["late_by_seconds"] == 3600.0
    assert late["deadline_source"] == "payload"
    assert late["message_id"] == "of late"
    assert late["pipeline_version"] == "1.2.3"
    assert late["ingest_ts"] >= NOW


def test_the_rest_becomes_dead_letters_with_the_original_message(outcome: Outcome) -> None:
    letters = {letter.rejection.kind: letter for letter in outcome.letters}
    assert letters.keys() == {*REFUSED, ErrorKind.REJECTED_BY_WAREHOUSE}
    assert len(outcome.letters) == len(letters)
    for kind, sent in REFUSED.items():
        assert letters[kind].message == sent
        assert letters[kind].stage == "ValidateEvents"
        assert letters[kind].failed_at >= NOW
    assert letters[ErrorKind.SCHEMA_VIOLATION].rejection.field == "attempt_no"
    assert letters[ErrorKind.RULE_VIOLATION].rejection.field == "client_ts"
    rejected = letters[ErrorKind.REJECTED_BY_WAREHOUSE]
    assert (rejected.stage, rejected.message) == ("WriteFacts", REJECTED)
    assert (rejected.event_id, rejected.rejection.field) == ("rejected", "client_ts")
    assert rejected.rejection.message == "invalid: too old"


def test_a_store_error_keeps_its_event(outcome: Outcome) -> None:
    (row,) = (row for row in outcome.letter_rows if row["error_kind"] == "store_error")
    assert (row["session_id"], row["event_id"]) == ("x1", "store error")
    assert row["error_payload"] == f'{{"code":7,"wide":"{2**70}"}}'


def test_every_dead_letter_has_a_row(outcome: Outcome) -> None:
    of_letters = sorted(letter.message.message_id for letter in outcome.letters)
    assert sorted(row["message_id"] for row in outcome.letter_rows) == of_letters


def test_every_outcome_is_counted(outcome: Outcome) -> None:
    assert outcome.counters == {
        "received": 11,
        "written": 5,
        "dead_letters_written": 6,
        "dead_letter_not_json": 1,
        "dead_letter_too_large": 1,
        "dead_letter_schema_violation": 1,
        "dead_letter_rule_violation": 1,
        "dead_letter_store_error": 1,
        "dead_letter_rejected_by_warehouse": 1,
        "lateness_settled_by_payload": 4,
        "lateness_sent_to_session": 1,
        "late_status_on_time": 3,
        "late_status_late": 1,
        "late_status_unknown": 1,
        "late_status_not_applicable": 1,
    }


def test_events_with_unknown_fields_are_counted() -> None:
    outcome = run_steps(
        [
            ON_TIME,
            event_message(event_id="close", is_correct=True, sesion_id="x1", app_version="1"),
            event_message(event_id="far", app_version="1"),
            event_message(event_id="close again", app_version="2", clientTs=1),
            answer("refused", attempt_no=0, sesion_id="x1"),
        ]
    )
    assert outcome.counters["unknown_fields"] == 3
    assert outcome.counters["unknown_fields_like_known"] == 2
    assert not {name for name in outcome.counters if "sesion" in name}


def test_sizes_and_lags_are_distributions(outcome: Outcome) -> None:
    sizes = [len(sent.payload) for sent in EVERYTHING]
    payload_bytes = outcome.distribution(metrics.PAYLOAD_BYTES)
    assert (payload_bytes.count, payload_bytes.sum) == (11, sum(sizes))
    assert (payload_bytes.min, payload_bytes.max) == (1, MAX_PAYLOAD_BYTES + 1)
    lag = outcome.distribution(metrics.EVENT_LAG_SECONDS)
    assert lag.count == len(EVERYTHING) - 4  # of valid events, store errors included
    assert lag.min >= 0


def boom(*_: Any, **__: Any) -> None:
    raise LookupError(SECRET)


@pytest.mark.parametrize(
    ("owner", "name", "stage"),
    [
        (Validator, "validate", "ValidateEvents"),
        (lateness_steps, "judge", "JudgeLateness"),
        (FactRows, "row", "WriteFacts"),
    ],
)
def test_a_bug_of_ours_loses_no_message_and_logs_no_value(
    owner: Any,
    name: str,
    stage: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(owner, name, boom)
    sent = answer(f"id of {SECRET}", answer=SECRET, session_expiry_ts=NOW, z=[SECRET])
    outcome = run_steps([sent])
    (letter,) = outcome.letters
    assert outcome.rows == []
    assert (letter.rejection.kind, letter.stage) == (ErrorKind.INTERNAL_ERROR, stage)
    assert letter.event_id == f"id of {SECRET}"
    assert letter.message == sent
    assert outcome.counters["dead_letter_internal_error"] == 1
    assert "LookupError" in letter.rejection.message
    assert SECRET not in letter.rejection.message
    assert "failed on a message: LookupError" in caplog.text
    assert SECRET not in caplog.text


def test_messages_and_errors_leave_no_trace_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    spoilt = [answer(SECRET, answer=SECRET, attempt_no=SECRET), message(SECRET.encode(), SECRET)]
    outcome = run_steps([*spoilt, answer(SECRET, answer=SECRET)])
    assert (len(outcome.rows), len(outcome.letters)) == (1, 2)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("step", "element"),
    [
        (steps._ValidateFn(RUN, "ValidateEvents", BOUNDS), ON_TIME),
        (steps._RejectedFn(RUN.letters, "WriteFacts"), (ON_TIME, internal_error(ValueError()))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_steps_travel_to_workers_and_work_there(step: beam.DoFn, element: Any) -> None:
    fn = pickler.loads(pickler.dumps(step))
    fn.setup()
    assert len(list(fn.process(element))) == 1
