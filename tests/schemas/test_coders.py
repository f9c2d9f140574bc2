import datetime as dt
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.coders.typecoders import registry
from apache_beam.internal import pickler
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from schemas import coders
from schemas.coders import StructCoder
from schemas.dead_letter import DeadEvent, DeadLetter
from schemas.errors import ContractError, ErrorKind, Rejection
from schemas.exam_event.event import ExamEvent, ValidExamEvent
from schemas.lateness import DeadlineSource, LatenessResult, LateStatus
from schemas.message import Message
from tests.transforms import builders, strategies

STRUCTS = (Message, DeadLetter, LatenessResult, ValidExamEvent, ExamEvent)

texts = st.text(max_size=20)
messages = st.builds(
    Message,
    payload=st.binary(max_size=40),
    message_id=texts,
    publish_time=strategies.timestamps,
    source=texts,
    attributes=st.dictionaries(texts, texts, max_size=3),
    size=st.none() | st.integers(0, 2**40),
)
dead_events = st.builds(
    DeadEvent,
    test_id=st.none() | texts,
    client_ts=st.none() | strategies.timestamps,
    error_payload=st.none() | strategies.json_objects,
)
values = st.one_of(
    messages,
    strategies.events,
    st.builds(
        DeadLetter,
        message=messages,
        rejection=st.builds(
            Rejection,
            kind=st.sampled_from(ErrorKind),
            message=texts,
            field=st.none() | texts,
        ),
        stage=texts,
        event_family=texts,
        failed_at=strategies.timestamps,
        pipeline_version=texts,
        event_id=st.none() | texts,
        replay_count=st.integers(0, 10**9),
        event=st.none() | dead_events,
    ),
    st.builds(
        LatenessResult,
        late_status=st.sampled_from(LateStatus),
        is_late_submission=st.none() | st.booleans(),
        late_by_seconds=st.none() | st.floats(0, 1e9),
        deadline_ts=st.none() | strategies.timestamps,
        deadline_source=st.none() | st.sampled_from(DeadlineSource),
    ),
    st.builds(
        ValidExamEvent,
        message=messages,
        event=strategies.events,
        extra=st.none() | texts,
    ),
    st.builds(Rejection, kind=st.sampled_from(ErrorKind), message=texts, field=st.none() | texts),
)


def reversed_keys(value: Any) -> Any:
    """The same value, every mapping filled in the opposite order."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return type(value)(**{name: reversed_keys(member) for name, member in fields.items()})
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [reversed_keys(member) for member in value]
    return value


@given(value=values)
def test_a_struct_comes_back_equal_and_of_its_own_types(value: msgspec.Struct) -> None:
    coder = StructCoder(type(value))
    again = coder.decode(coder.encode(value))
    assert type(again) is type(value)
    assert again == value
    assert coder.encode(again) == coder.encode(value)


@given(value=values)
def test_equal_structs_have_equal_bytes(value: msgspec.Struct) -> None:
    coder = StructCoder(type(value))
    assert coder.encode(reversed_keys(value)) == coder.encode(value)


@given(value=strategies.timestamps)
def test_timestamps_come_back_in_utc_to_the_microsecond(value: dt.datetime) -> None:
    coder = StructCoder(ExamEvent)
    again = coder.decode(coder.encode(builders.event(client_ts=value))).client_ts
    assert again == value
    assert again.tzinfo is dt.UTC


@given(text=strategies.json_texts)
def test_whatever_the_decoder_accepts_can_travel(text: str) -> None:
    event, _ = builders.DECODER.decode(builders.raw(f'"error_payload": {{"reported": {text}}}'))
    coder = StructCoder(ExamEvent)
    assert coder.decode(coder.encode(event)) == event


@pytest.mark.parametrize("struct", STRUCTS)
def test_the_registry_knows_the_coder_once_it_is_registered(struct: type[msgspec.Struct]) -> None:
    coders.register(STRUCTS)
    coder = registry.get_coder(struct)
    assert coder == StructCoder(struct)
    assert coder.is_deterministic()
    assert coder.to_type_hint() is struct


def test_a_coder_survives_pickling() -> None:
    coder = StructCoder(ExamEvent)
    coder.encode(builders.event())
    again = pickler.loads(pickler.dumps(coder))
    assert again == coder
    assert hash(again) == hash(coder)
    assert again.decode(coder.encode(builders.event())) == builders.event()


def test_coders_of_different_structs_differ() -> None:
    assert StructCoder(ExamEvent) != StructCoder(LatenessResult)
    assert StructCoder(ExamEvent) != ExamEvent


def test_structs_are_keys_that_group() -> None:
    coders.register(STRUCTS)
    copies = [(builders.event(), n) for n in range(3)]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        sums = (
            pipeline
            | beam.Create(copies).with_output_types(tuple[ExamEvent, int])
            | beam.CombinePerKey(sum)
        )
        assert_that(sums, equal_to([(builders.event(), 3)]))


def test_a_contract_error_survives_pickling() -> None:
    error = ContractError(ErrorKind.RULE_VIOLATION, "mend it", "answer")
    again = pickler.loads(pickler.dumps(error))
    assert (again.kind, str(again), again.field) == (error.kind, "mend it", "answer")
