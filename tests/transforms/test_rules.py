import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ContractError, ErrorKind
from schemas.event_time import EventTimeBounds
from schemas.exam_event.event import EventType, ExamEvent, ValidExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.transforms import strategies
from tests.transforms.builders import BOUNDS, DECODER, NOW, event, message, payload
from transforms.validate import Validator

VALIDATOR = Validator(EXAM_EVENT, BOUNDS, DECODER)
MICROSECOND = dt.timedelta(microseconds=1)
DAY = dt.timedelta(days=1)
OLDEST, NEWEST = NOW - 1800 * DAY, NOW + DAY
RULE, SCHEMA = ErrorKind.RULE_VIOLATION, ErrorKind.SCHEMA_VIOLATION


def validate(*, publish_time: dt.datetime = NOW, now: dt.datetime = NOW, **fields: Any) -> Any:
    texts = {k: v.isoformat() if isinstance(v, dt.datetime) else v for k, v in fields.items()}
    return VALIDATOR.validate(message(payload(**texts), publish_time=publish_time), now)


def refusal(**arguments: Any) -> ContractError:
    with pytest.raises(ContractError) as caught:
        validate(**arguments)
    return caught.value


def test_accepts_with_what_the_message_knew() -> None:
    data = payload(client_ts=NOW.isoformat(), z=1)
    sent = message(data)
    assert VALIDATOR.validate(sent, NOW) == ValidExamEvent(
        message=sent, event=event(), extra='{"z":1}'
    )


@pytest.mark.parametrize("client_ts", [OLDEST, NOW, NEWEST])
def test_bounds_belong_to_what_they_bound(client_ts: dt.datetime) -> None:
    assert validate(client_ts=client_ts).event.client_ts == client_ts


@pytest.mark.parametrize("client_ts", [OLDEST - MICROSECOND, NEWEST + MICROSECOND])
def test_a_microsecond_past_a_bound_is_refused(client_ts: dt.datetime) -> None:
    error = refusal(client_ts=client_ts)
    assert (error.kind, error.field) == (RULE, "client_ts")


@pytest.mark.parametrize(
    ("client_ts", "reference"),
    [
        (OLDEST, {"publish_time": NOW + MICROSECOND}),
        (OLDEST, {"now": NOW + MICROSECOND}),
        (NEWEST, {"publish_time": NOW - MICROSECOND}),
        (NEWEST, {"now": NOW - MICROSECOND}),
    ],
)
def test_event_time_is_held_against_publish_time_and_against_the_clock(
    client_ts: dt.datetime, reference: dict[str, dt.datetime]
) -> None:
    error = refusal(client_ts=client_ts, **reference)
    assert (error.kind, error.field) == (RULE, "client_ts")
    assert ("publish time" in str(error)) == ("publish_time" in reference)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.9999999-23:59"])
@pytest.mark.parametrize("field", ["client_ts", "session_start_ts", "session_expiry_ts"])
def test_far_years_are_refused_without_overflow(field: str, text: str) -> None:
    error = refusal(**{field: text})
    assert error.field == field
    assert error.kind == (RULE if field == "client_ts" else SCHEMA)


@given(
    client_ts=st.datetimes(timezones=strategies.offsets),
    publish_time=st.datetimes(dt.datetime(1971, 1, 1), timezones=st.just(dt.UTC)),
    age=st.integers(0, 100_000),
    ahead=st.integers(0, 100_000),
)
def test_bounds_hold_for_any_clock(
    client_ts: dt.datetime, publish_time: dt.datetime, age: int, ahead: int
) -> None:
    bounds = EventTimeBounds(dt.timedelta(days=age), dt.timedelta(days=ahead))
    behind = (publish_time - client_ts) / DAY
    try:
        bounds.check("client_ts", client_ts, publish_time, "publish time")
    except ContractError:
        assert behind >= age or -behind >= ahead
    else:
        assert -ahead <= behind <= age


@pytest.mark.parametrize("field", ["session_start_ts", "session_expiry_ts"])
@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:00:00-01:00",
        "2100-12-31T23:59:59.9999999Z",
        "2101-01-01T00:59:59+01:00",
    ],
)
def test_session_times_lie_within_1970_to_2100(field: str, text: str) -> None:
    assert getattr(validate(**{field: text}).event, field) is not None


@pytest.mark.parametrize("field", ["session_start_ts", "session_expiry_ts"])
@pytest.mark.parametrize(
    "text", ["1969-12-31T23:59:59.999999Z", "1970-01-01T00:59:59+01:00", "2101-01-01T00:00:00Z"]
)
def test_session_times_outside_1970_to_2100_are_refused(field: str, text: str) -> None:
    error = refusal(**{field: text})
    assert (error.kind, error.field) == (SCHEMA, field)


@pytest.mark.parametrize("kind", EventType)
def test_expiry_comes_after_start_on_any_event(kind: EventType) -> None:
    fields = {"event_type": kind, "question_id": "q1", "session_start_ts": NOW}
    assert validate(session_expiry_ts=NOW + MICROSECOND, **fields)
    for expiry in (NOW, NOW - MICROSECOND):
        error = refusal(session_expiry_ts=expiry, **fields)
        assert (error.kind, error.field) == (RULE, "session_expiry_ts")


def test_expiry_and_start_are_compared_as_instants() -> None:
    start = "2026-03-02T10:00:00+02:00"
    assert validate(session_start_ts=start, session_expiry_ts="2026-03-02T08:00:01Z")
    assert refusal(session_start_ts=start, session_expiry_ts="2026-03-02T08:00:00Z").kind is RULE


@pytest.mark.parametrize("kind", EventType)
def test_only_answers_must_name_their_question(kind: EventType) -> None:
    assert validate(event_type=kind, question_id="q1").event.question_id == "q1"
    if kind in (EventType.ANSWER_SUBMIT, EventType.ANSWER_RESUBMIT, EventType.ANSWER):
        error = refusal(event_type=kind)
        assert (error.kind, error.field) == (RULE, "question_id")
        assert kind in str(error)
    else:
        assert validate(event_type=kind).event.question_id is None


def test_types_come_before_rules() -> None:
    error = refusal(event_type="answer_submit", attempt_no=0, client_ts=OLDEST - DAY)
    assert (error.kind, error.field) == (SCHEMA, "attempt_no")


def test_the_beginning_of_a_longer_message_is_too_large_whatever_it_says() -> None:
    with pytest.raises(ContractError) as caught:
        VALIDATOR.validate(message(payload(), size=20_000_000), NOW)
    assert caught.value.kind is ErrorKind.TOO_LARGE


@given(data=st.binary(max_size=40) | strategies.json_texts.map(str.encode))
def test_any_message_is_accepted_or_a_contract_error(data: bytes) -> None:
    with pytest.raises(ContractError):
        VALIDATOR.validate(message(data), NOW)


@given(sent=strategies.events)
def test_an_event_of_the_right_types_is_accepted_unless_it_breaks_a_rule(sent: ExamEvent) -> None:
    start, expiry = sent.session_start_ts, sent.session_expiry_ts
    answers = sent.event_type in ("answer_submit", "answer_resubmit", "answer")
    at_fault = {
        "session_expiry_ts": start is not None and expiry is not None and expiry <= start,
        "question_id": answers and sent.question_id is None,
    }
    received = message(msgspec.json.encode(sent), publish_time=sent.client_ts)
    if any(at_fault.values()):
        with pytest.raises(ContractError) as caught:
            VALIDATOR.validate(received, sent.client_ts)
        assert at_fault[str(caught.value.field)]
    else:
        assert VALIDATOR.validate(received, sent.client_ts).event == sent
