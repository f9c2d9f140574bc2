import datetime as dt
import json
from typing import Any

import pytest
from google.pubsub_v1.types import PubsubMessage
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.dead_letter import DeadEvent, DeadLetter
from schemas.errors import ErrorKind, Rejection
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.transforms.builders import NOW, accepted, letter, message, payload
from tests.transforms.strategies import KEYWORDS, attribute_values, attributes
from transforms.dead_letters import (
    MAX_STORED_PAYLOAD_BYTES,
    OWN_ATTRIBUTES,
    DeadLetterFactory,
    senders_attributes,
    to_pubsub,
    to_row,
)

LETTERS = DeadLetterFactory(EXAM_EVENT, "1.2.3")
PUBSUB_BYTES = 10_000_000
TOPIC_BYTES = 600  # projects/<63>/topics/<255> and the framing of a request

few_attributes = attributes(max_size=6)
many_attributes = st.integers(80, 140).map(
    lambda count: {f"key {n}": "v" * 1024 for n in range(count)}
)
sizes = st.sampled_from([0, 1, 1000, 9_850_000, 9_880_000, 9_970_000, 9_990_000, 10_000_000])


def wire_bytes(data: bytes, attributes: dict[str, str]) -> int:
    """What Pub/Sub counts, and more: the whole message as it is sent."""
    return PubsubMessage.pb(PubsubMessage(data=data, attributes=attributes)).ByteSize()


@given(
    attributes=few_attributes | many_attributes,
    size=sizes,
    details=st.fixed_dictionaries(
        {},
        optional={
            "text": attribute_values,
            "field": attribute_values,
            "event_id": attribute_values,
        },
    ),
)
@settings(max_examples=150)
def test_whatever_the_message_pubsub_takes_the_letter(
    attributes: dict[str, str], size: int, details: dict[str, Any]
) -> None:
    original = b"x" * size
    dead = letter(message(original, attributes=attributes), **details)
    data, published = to_pubsub(dead)

    assert len(published) <= 100
    assert not any(key.startswith("goog") for key in published)
    assert all(0 < len(key.encode()) <= 256 for key in published)
    assert all(len(value.encode()) <= 1024 for value in published.values())
    assert wire_bytes(data, published) + TOPIC_BYTES <= PUBSUB_BYTES
    cut = len(data) < size
    assert original.startswith(data)
    assert published.get("payload_truncated") == ("true" if cut else None)
    assert published["error_kind"] == "not_json"
    assert published["stage"] == "ValidateEvents"


@given(attributes=few_attributes)
@example(attributes=dict.fromkeys(OWN_ATTRIBUTES, "theirs"))
@example(attributes=dict.fromkeys(KEYWORDS, "theirs"))
@example(attributes={"source": "a", "sender_source": "b", "sender_sender_source": "c"})
@example(attributes={"sender_": "a", "sender_app": "b", "sender_" * 35 + "source": "c"})
def test_their_attributes_survive(attributes: dict[str, str]) -> None:
    _, published = to_pubsub(letter(message(attributes=attributes)))
    assert not any(published[key] == "theirs" for key in OWN_ATTRIBUTES & published.keys())
    theirs = senders_attributes(published)
    for key, value in attributes.items():
        if key.startswith("goog") or not 0 < len(key.encode()) <= 256 or key == "replay_count":
            assert key not in theirs
        elif key not in theirs:  # escaped, it would be too long
            assert len(f"sender_{key}") > 256
        else:
            assert value.startswith(theirs[key])
            # Cut where it must be, and at a character: one more would not have fitted.
            kept = len(theirs[key])
            assert theirs[key] == value or len(value[: kept + 1].encode()) > 1024
    assert theirs.keys() <= attributes.keys()


def test_ours_are_all_there() -> None:
    dead = letter(
        message(attributes={"replay_count": "2", "app": "ios", "source": "web"}, message_id="m7"),
        field="answer",
        event_id="e1",
        replay_count=2,
    )
    data, published = to_pubsub(dead)
    assert data == payload()
    assert published == {
        "app": "ios",
        "sender_source": "web",
        "error_kind": "not_json",
        "error_message": "the body is empty",
        "error_field": "answer",
        "stage": "ValidateEvents",
        "event_id": "e1",
        "source": "projects/p/subscriptions/s",
        "message_id": "m7",
        "publish_time": "2026-03-02T10:00:00+00:00",
        "failed_at": "2026-03-02T10:00:00+00:00",
        "pipeline_version": "1.2.3",
        "event_family": "exam_event",
        "replay_count": "2",
    }


def test_near_the_limit_their_attributes_go_before_the_data_is_cut() -> None:
    theirs = {f"key {n}": "v" * 1024 for n in range(80)}
    data, published = to_pubsub(letter(message(b"x" * 9_950_000, attributes=theirs)))
    assert len(data) == 9_950_000
    assert published.keys() <= OWN_ATTRIBUTES
    assert "payload_truncated" not in published


def test_a_message_read_only_in_part_says_so() -> None:
    dead = letter(message(b"x" * 10, size=20_000_000))
    assert to_pubsub(dead)[1]["payload_truncated"] == "true"
    assert (to_row(dead).payload_size, to_row(dead).payload_truncated) == (20_000_000, True)


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("3", 3), ("007", 7), ("999999999", 999_999_999)]
    + [(text, 0) for text in ("", "-1", "+1", "1.0", "two", " 1", "\u0663", "\u00b2", "9" * 5_000)],
)
def test_replay_count_is_read_from_the_attribute(text: str, count: int) -> None:
    error = Rejection(ErrorKind.NOT_JSON, "mend it")
    dead = LETTERS.of_error(message(attributes={"replay_count": text}), error, "S", NOW)
    assert dead.replay_count == count
    assert to_pubsub(dead)[1]["replay_count"] == str(count)


def test_the_letter_of_an_error() -> None:
    received = message(payload(answer=1), attributes={"app": "ios"})
    error = Rejection(ErrorKind.SCHEMA_VIOLATION, "answer must be text", "answer")
    assert LETTERS.of_error(received, error, "Stage", NOW) == DeadLetter(
        message=received,
        rejection=error,
        stage="Stage",
        event_family="exam_event",
        event_id="e1",
        failed_at=NOW,
        pipeline_version="1.2.3",
        contract_version="1.1",
    )


def test_the_letter_of_a_store_error_keeps_what_sessions_count() -> None:
    sent = accepted(event_type="store_error", question_id="q1", error_payload={"code": 7})
    dead = LETTERS.of_event(message(), sent, "Stage", NOW)
    assert (dead.rejection.kind, dead.event_id) == (ErrorKind.STORE_ERROR, "e1")
    assert dead.event == DeadEvent(
        test_id="t1",
        student_id="s1",
        session_id="x1",
        question_id="q1",
        client_ts=NOW,
        error_payload={"code": 7},
    )
    row = to_row(dead)
    assert row.client_ts == NOW
    assert (row.test_id, row.student_id, row.session_id) == ("t1", "s1", "x1")
    assert (row.question_id, row.error_payload) == ("q1", '{"code":7}')


@given(data=st.binary(max_size=100), attributes=few_attributes)
def test_the_row_holds_the_message_untouched(data: bytes, attributes: dict[str, str]) -> None:
    row = to_row(letter(message(data, attributes=attributes)))
    assert row.payload == data
    assert (row.payload_size, row.payload_truncated) == (len(data), False)
    assert json.loads(row.attributes) == attributes


@pytest.mark.parametrize("more", [0, 1])
def test_the_row_holds_the_first_mebibyte(more: int) -> None:
    size = MAX_STORED_PAYLOAD_BYTES + more
    row = to_row(letter(message(b"x" * size)))
    assert len(row.payload) == 1_048_576
    assert (row.payload_size, row.payload_truncated) == (size, bool(more))


def test_the_partition_is_the_utc_date_of_failure() -> None:
    failed_at = dt.datetime(2026, 3, 3, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    row = to_row(letter(failed_at=failed_at))
    assert row.failed_date == dt.date(2026, 3, 2)


@pytest.mark.parametrize(("number", "size"), [(98, 10), (3, PUBSUB_BYTES)])
def test_what_a_replay_was_of_is_never_left_out(number: int, size: int) -> None:
    attributes = {f"key {n:03}": "v" for n in range(number)}
    attributes |= {"replay_of": "m0", "replay_count": "1"}
    data, on_topic = to_pubsub(letter(message(b"x" * size, attributes=attributes)))
    assert on_topic["replay_of"] == "m0"
    assert wire_bytes(data, on_topic) + TOPIC_BYTES <= PUBSUB_BYTES
