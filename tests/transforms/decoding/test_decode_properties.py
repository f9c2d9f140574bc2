import json
import math
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ContractError, ErrorKind
from schemas.exam_event.event import ExamEvent
from tests.transforms import strategies
from tests.transforms.builders import DECODER, REQUIRED, outcome, payload, raw

INT64 = range(-(2**63), 2**63)


class Number(str):
    """A number as it is written."""

    __slots__ = ()


def tree(text: str) -> Any:
    """JSON with every number as it is written."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def survives(literal: str) -> bool:
    """Whether int64 or float64 gives back the number that is written, by exact arithmetic."""
    value = Fraction(literal)
    if not set(literal) & set(".eE") and int(literal) in INT64:
        return True
    nearest = float(literal)
    return math.isfinite(nearest) and Fraction(repr(nearest)) == value


def same(sent: Any, kept: Any) -> bool:
    """Whether ``kept`` is ``sent``, with just those numbers as text that would not survive."""
    if isinstance(sent, Number):
        if not survives(sent):
            return type(kept) is str and kept == sent
        return type(kept) is Number and Fraction(kept) == Fraction(sent) and survives(kept)
    if isinstance(sent, dict):
        if not isinstance(kept, dict) or list(kept) != sorted(sent):
            return False
        return all(same(value, kept[key]) for key, value in sent.items())
    if isinstance(sent, list):
        return (
            isinstance(kept, list)
            and len(sent) == len(kept)
            and all(same(*pair) for pair in zip(sent, kept, strict=True))
        )
    return type(sent) is type(kept) and sent == kept


def facts(result: Any) -> Any:
    """An outcome to compare: the event, or kind, field and words of the error."""
    if isinstance(result, ContractError):
        return result.kind, result.field, str(result)
    return result[0]


@given(event=strategies.events)
def test_a_valid_event_comes_back_equal(event: ExamEvent) -> None:
    assert DECODER.decode(msgspec.json.encode(event)) == (event, None)


@given(event=strategies.events)
def test_nulls_may_be_left_out(event: ExamEvent) -> None:
    fields = {k: v for k, v in msgspec.to_builtins(event).items() if v is not None}
    assert DECODER.decode(msgspec.json.encode(fields)) == (event, None)


@given(event=strategies.events, seed=st.randoms(use_true_random=False))
def test_the_order_of_fields_means_nothing(event: ExamEvent, seed: Any) -> None:
    members = list(msgspec.to_builtins(event).items())
    seed.shuffle(members)
    assert DECODER.decode(json.dumps(dict(members)).encode()) == (event, None)


@given(data=st.binary(max_size=60) | st.text(alphabet='{}[]":,0e.-\\u nulltrefas', max_size=40))
def test_any_bytes_are_an_event_or_a_contract_error(data: bytes | str) -> None:
    outcome(data if isinstance(data, bytes) else data.encode())


@given(place=st.integers(0, len(payload())), noise=st.binary(max_size=3), gone=st.integers(0, 3))
def test_a_damaged_event_is_an_event_or_a_contract_error(
    place: int, noise: bytes, gone: int
) -> None:
    whole = payload()
    outcome(whole[:place] + noise + whole[place + gone :])


@given(text=strategies.json_texts)
def test_any_document_is_an_event_or_a_schema_violation(text: str) -> None:
    result = outcome(text.encode())
    assert isinstance(result, ContractError)
    assert result.kind is ErrorKind.SCHEMA_VIOLATION
    assert result.field in (None, "event_id")


@given(field=st.sampled_from(strategies.FIELDS), text=strategies.json_texts)
def test_a_field_takes_any_document_or_is_at_fault(field: str, text: str) -> None:
    result = outcome(raw(f'"{field}": {text}'))
    if isinstance(result, ContractError):
        assert (result.kind, result.field) == (ErrorKind.SCHEMA_VIOLATION, field)
    else:
        assert result[1] is None


@given(
    members=st.dictionaries(strategies.unknown_names, strategies.json_texts, min_size=1, max_size=4)
)
@settings(max_examples=300)
def test_unknown_fields_are_kept_and_their_numbers_exact(members: dict[str, str]) -> None:
    written = ", ".join(f"{json.dumps(name)}: {text}" for name, text in members.items())
    event, extra = DECODER.decode(raw(written))
    assert event == DECODER.decode(payload())[0]
    assert extra is not None
    assert same(tree("{" + written + "}"), tree(extra))


@given(text=strategies.json_texts)
def test_numbers_are_kept_alike_beside_thousands_of_digits(text: str) -> None:
    """The standard library's parser, which takes over there, agrees with the usual one."""
    _, usual = DECODER.decode(raw(f'"z": {text}'))
    _, beside = DECODER.decode(raw(f'"z": {text}, "long": {"7" * 5_000}'))
    assert usual is not None
    assert beside is not None
    assert json.loads(beside)["z"] == json.loads(usual)["z"]
    assert repr(json.loads(beside)["z"]) == repr(json.loads(usual)["z"])


@given(text=strategies.json_texts)
def test_the_error_object_is_kept_by_the_same_rule(text: str) -> None:
    event, _ = DECODER.decode(raw(f'"error_payload": {{"z": {text}}}'))
    _, extra = DECODER.decode(raw(f'"z": {text}'))
    assert msgspec.json.encode(event.error_payload, order="sorted").decode() == extra


members = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(strategies.bad_values(name) or [None]) for name in strategies.FIELDS
    },
)


@given(event=strategies.events, name=strategies.unknown_names, value=strategies.json_values)
def test_an_unknown_field_changes_nothing_but_extra(
    event: ExamEvent, name: str, value: Any
) -> None:
    fields = msgspec.to_builtins(event)
    again, extra = DECODER.decode(json.dumps(fields | {name: value}).encode())
    assert again == event
    assert extra is not None
    assert json.loads(extra) == {name: value}


@given(event=strategies.events, spoilt=members, name=strategies.unknown_names)
def test_an_unknown_field_changes_no_error(
    event: ExamEvent, spoilt: dict[str, Any], name: str
) -> None:
    fields = msgspec.to_builtins(event) | spoilt
    plain, with_unknown = (
        outcome(json.dumps(document).encode()) for document in (fields, fields | {name: 1})
    )
    assert facts(with_unknown) == facts(plain)


@given(
    text=st.from_regex(
        r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ]?[012][0-9]:[0-5][0-9](:[0-6][0-9])?"
        r"([.,][0-9]{0,12})?([Zz]|[+-][0-9]{2}:?[0-9]{2})?",
        fullmatch=True,
    )
)
@settings(max_examples=500)
def test_both_readings_of_a_timestamp_agree(text: str) -> None:
    in_one_step = outcome(payload(client_ts=text))
    as_a_tree = outcome(payload(client_ts=text, z=1))
    assert facts(in_one_step) == facts(as_a_tree)


@given(event=strategies.events, spoiling=strategies.spoilings)
def test_a_spoilt_event_names_the_spoilt_field(event: ExamEvent, spoiling: tuple[str, Any]) -> None:
    field, value = spoiling
    error = outcome(json.dumps(msgspec.to_builtins(event) | {field: value}).encode())
    assert isinstance(error, ContractError)
    assert (error.kind, error.field) == (ErrorKind.SCHEMA_VIOLATION, field)


@given(event=strategies.events, field=st.sampled_from(list(REQUIRED)))
def test_an_event_without_a_required_field_names_it(event: ExamEvent, field: str) -> None:
    fields = msgspec.to_builtins(event)
    del fields[field]
    error = outcome(json.dumps(fields).encode())
    assert isinstance(error, ContractError)
    assert (error.kind, error.field) == (ErrorKind.SCHEMA_VIOLATION, field)
