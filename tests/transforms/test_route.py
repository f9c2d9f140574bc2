import json
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from schemas import coders, metrics
from schemas.dead_letter import DeadLetter
from schemas.errors import ContractError, ErrorKind
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.family import EventFamily
from schemas.message import Message
from tests.support.families import ID, TIMESTAMP, enum, field, record, registered
from tests.transforms.builders import message
from transforms.route import RouteEvents, Router, indistinct


def _contract(*types: str, own: str) -> dict[str, Any]:
    return record(
        "Any",
        field("event_type", enum(*types)),
        field(own, ID),
        field("event_id", ID),
        field("at", TIMESTAMP),
    )


def _registered(name: str, *types: str, own: str, route_by: str | None) -> Any:
    return registered(
        _contract(*types, own=own),
        name=name,
        table=f"{name}_fact",
        event_time="at",
        route_by=route_by,
    )


@pytest.fixture
def lessons() -> Iterator[EventFamily]:
    """Shares session_start with the exam."""
    with _registered(
        "lessons", "session_start", "lesson_read", own="learner_id", route_by="learner_id"
    ) as family:
        yield family


def routed(families: Any, payload: bytes, **attributes: str) -> str | tuple[ErrorKind, str | None]:
    try:
        return Router(families).family_of(message(payload, attributes=attributes))
    except ContractError as error:
        return error.kind, error.field


@pytest.mark.parametrize(
    ("sent", "attributes", "family"),
    [
        ({"event_type": "page_view"}, {}, "exam_event"),
        ({"event_type": "lesson_read", "deep": [[{}]]}, {}, "lessons"),
        ({"event_type": "session_start", "test_id": "t"}, {}, "exam_event"),
        ({"event_type": "session_start", "learner_id": "l"}, {}, "lessons"),
        ({"event_type": "session_start", "learner_id": "l", "test_id": None}, {}, "lessons"),
        ({"event_type": "page_view"}, {"event_family": "lessons"}, "lessons"),
        ({"event_type": "page_view"}, {"event_family": "orders"}, "exam_event"),
        ({}, {"event_family": "lessons"}, "lessons"),
        ({"event_type": "session_start", "test_id": 10**4000}, {}, "exam_event"),
    ],
)
def test_a_message_goes_to_its_family(
    lessons: EventFamily, sent: Any, attributes: dict[str, str], family: str
) -> None:
    assert routed([EXAM_EVENT, lessons], json.dumps(sent).encode(), **attributes) == family


@pytest.mark.parametrize(
    ("payload", "kind", "field_at_fault"),
    [
        (b"", ErrorKind.NOT_JSON, None),
        (b"{", ErrorKind.NOT_JSON, None),
        (b"\xff", ErrorKind.NOT_JSON, None),
        (b"[]", ErrorKind.SCHEMA_VIOLATION, None),
        (b"[" * 5_000, ErrorKind.SCHEMA_VIOLATION, None),
        (b'{"a":' * 5_000, ErrorKind.SCHEMA_VIOLATION, None),
        (b"{}", ErrorKind.SCHEMA_VIOLATION, "event_type"),
        (b'{"event_type": ["page_view"]}', ErrorKind.SCHEMA_VIOLATION, "event_type"),
        (b'{"event_type": %b}' % (b"1" * 5_000), ErrorKind.SCHEMA_VIOLATION, "event_type"),
        (rb'{"event_type": "\ud800"}', ErrorKind.NOT_JSON, None),
        (b'{"event_type": "\xff"}', ErrorKind.NOT_JSON, None),
        (b'{"event_type": "order"}', ErrorKind.SCHEMA_VIOLATION, "event_type"),
        (b'{"event_type": "session_start"}', ErrorKind.SCHEMA_VIOLATION, "event_type"),
        (
            b'{"event_type": "session_start", "test_id": 1, "learner_id": 1}',
            ErrorKind.SCHEMA_VIOLATION,
            "event_type",
        ),
    ],
)
def test_what_is_of_no_family_is_said(
    lessons: EventFamily, payload: bytes, kind: ErrorKind, field_at_fault: str | None
) -> None:
    assert routed([EXAM_EVENT, lessons], payload) == (kind, field_at_fault)


def test_a_message_cut_at_its_beginning_is_too_large(lessons: EventFamily) -> None:
    with pytest.raises(ContractError) as error:
        Router([EXAM_EVENT, lessons]).family_of(message(b'{"event_type": "pag', size=10**7))
    assert error.value.kind is ErrorKind.TOO_LARGE


def test_families_with_a_type_in_common_need_a_field_each() -> None:
    with (
        _registered("one", "seen", own="one_id", route_by=None) as one,
        _registered("two", "seen", own="two_id", route_by="two_id") as two,
        _registered("three", "seen", own="one_id", route_by="one_id") as three,
        _registered("four", "heard", own="one_id", route_by=None) as four,
    ):
        assert indistinct([four, one, two]) == ("one", "two")
        assert indistinct([one, three]) == ("one", "three")  # the field is in both
        assert indistinct([two, three, four]) is None


def test_the_step_routes_and_keeps_what_it_cannot(lessons: EventFamily) -> None:
    coders.register([Message, DeadLetter])
    sent = [
        message(b'{"event_type": "page_view"}', message_id="a"),
        message(b'{"event_type": "lesson_read"}', message_id="b"),
        message(b"no", message_id="c", attributes={"app": "ios"}),
    ]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        received = pipeline | beam.Create(sent, reshuffle=False).with_output_types(Message)
        by_name, letters = received | "RouteEvents" >> RouteEvents([EXAM_EVENT, lessons], "1")
        for name, expected in (("exam_event", sent[:1]), ("lessons", sent[1:2])):
            assert_that(by_name[name] | name >> beam.Reshuffle(), equal_to(expected), label=name)
        said = letters | beam.Map(
            lambda letter: (
                letter.message,
                letter.event_family,
                letter.stage,
                letter.rejection.kind,
            )
        )
        assert_that(said, equal_to([(sent[2], None, "RouteEvents", ErrorKind.NOT_JSON)]))
    # The others are received by the first step of their family.
    assert metrics.counters(pipeline.result.metrics()) == {
        "received": 1,
        "routed_exam_event": 1,
        "routed_lessons": 1,
        "routed_no_family": 1,
    }
