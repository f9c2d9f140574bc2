import json
import logging
from typing import Any

import pytest

from schemas.errors import ContractError, ErrorKind
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.ddl.googlesql import GoogleSql
from tests.transforms import cases
from tests.transforms.builders import DECODER, REQUIRED, outcome, payload, raw
from tests.transforms.strategies import FIELDS, bad_values
from transforms.decoding.decode import MAX_PAYLOAD_BYTES, Decoder, event_id_of

UNKNOWN_FIELD = b', "unknown to the contract": [1]}'
TIMESTAMPS = ("client_ts", "session_start_ts", "session_expiry_ts")


def ids(rows: list[Any]) -> list[str]:
    return [row[0] for row in rows]


def refusal(data: bytes) -> ContractError:
    with pytest.raises(ContractError) as caught:
        DECODER.decode(data)
    return caught.value


@pytest.mark.parametrize(("_", "data", "field", "expected"), cases.TAKEN, ids=ids(cases.TAKEN))
def test_takes(_: str, data: bytes, field: str, expected: Any) -> None:
    event, extra = DECODER.decode(data)
    assert getattr(event, field) == expected
    assert extra is None


@pytest.mark.parametrize(("_", "data", "field", "expected"), cases.TAKEN, ids=ids(cases.TAKEN))
def test_takes_the_same_beside_an_unknown_field(
    _: str, data: bytes, field: str, expected: Any
) -> None:
    event, extra = DECODER.decode(data.rstrip()[:-1] + UNKNOWN_FIELD)
    assert getattr(event, field) == expected
    assert extra == '{"unknown to the contract":[1]}'


@pytest.mark.parametrize("field", TIMESTAMPS)
@pytest.mark.parametrize("unknown", ["", ', "z": 1'], ids=["known", "unknown"])
@pytest.mark.parametrize(("text", "instant"), cases.INSTANTS, ids=ids(cases.INSTANTS))
def test_timestamps_are_cut_to_the_microsecond(
    field: str, unknown: str, text: str, instant: Any
) -> None:
    event, _ = DECODER.decode(raw(f'"{field}": "{text}"{unknown}'))
    assert getattr(event, field) == instant


@pytest.mark.parametrize("field", TIMESTAMPS)
@pytest.mark.parametrize("unknown", ["", ', "z": 1'], ids=["known", "unknown"])
@pytest.mark.parametrize("text", cases.NO_INSTANTS)
def test_a_timestamp_is_rfc_3339(field: str, unknown: str, text: str) -> None:
    decoder = Decoder(EXAM_EVENT)
    decoder.decode(raw('"z": 1'))
    with pytest.raises(ContractError) as caught:
        decoder.decode(raw(f'"{field}": "{text}"{unknown}'))
    assert (caught.value.kind, caught.value.field) == (ErrorKind.SCHEMA_VIOLATION, field)
    assert str(caught.value).startswith(f"{field} must be an RFC 3339 timestamp")


@pytest.mark.parametrize("data", [b"", b" ", b" \r\n\t"])
def test_a_body_of_white_space_is_called_empty(data: bytes) -> None:
    assert str(refusal(data)) == "the body is empty"


LONE_SURROGATES = [
    r'"answer": "\ud800"',
    r'"answer": "\ude00 "',
    r'"z": "\ud83d\u0041"',
    r'"z": ["\ud83dabcdefgh"]',
    r'"\udbff": 1',
    rf'"z": "\ud800", "n": {cases.MANY_DIGITS}',
]


@pytest.mark.parametrize("members", LONE_SURROGATES, ids=lambda members: members[:20])
def test_a_lone_surrogate_is_named_as_one(members: str) -> None:
    error = refusal(raw(members))
    assert error.kind is ErrorKind.NOT_JSON
    assert str(error) == "the body has a lone surrogate in a string: send valid UTF-8"


@pytest.mark.parametrize(
    "data",
    [
        raw(r'"z": "\ud83d\ude00"')[:-1],
        raw(r'"z": "\ud83d')[:-1],
        raw(r'"z": "\\ud800", "a": NaN'),
        raw(f'"z": {cases.nested(100_000)}, "a": "\\ud800'),
    ],
    ids=["a pair, cut off", "cut off in a pair", "an escaped backslash", "deep and cut off"],
)
def test_no_other_text_is_called_a_lone_surrogate(data: bytes) -> None:
    assert "surrogate" not in str(refusal(data))


@pytest.mark.parametrize(("_", "data", "expected"), cases.EXTRAS, ids=ids(cases.EXTRAS))
def test_keeps_what_the_contract_does_not_know(_: str, data: bytes, expected: str) -> None:
    decoder = Decoder(EXAM_EVENT)
    for _time in ("as a tree", "in one step, where it can"):
        event, extra = decoder.decode(data)
        assert extra == expected
        assert event == decoder.decode(payload())[0]


def test_google_sql_reads_every_kept_number_as_exact() -> None:
    """Not a property: the engine also refuses some 16-digit float64s, such as 645349749110616.2."""
    array = ", ".join(cases.NUMBERS)
    _, extra = DECODER.decode(raw(f'"z": [{array}]'))
    (row,) = GoogleSql().run(f"SELECT PARSE_JSON('{extra}', wide_number_mode => 'exact') AS j", {})
    assert len(row["j"]["z"]) == len(cases.NUMBERS)


@pytest.mark.parametrize(("_", "data", "kind", "field"), cases.REFUSED, ids=ids(cases.REFUSED))
def test_refuses(_: str, data: bytes, kind: ErrorKind, field: str | None) -> None:
    error = refusal(data)
    assert (error.kind, error.field) == (kind, field)
    assert str(error)


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field in FIELDS for value in bad_values(field)],
    ids=lambda value: str(value)[:20],
)
def test_names_the_field_at_fault_and_what_it_must_be(field: str, value: Any) -> None:
    error = refusal(payload(**{field: value}))
    assert (error.kind, error.field) == (ErrorKind.SCHEMA_VIOLATION, field)
    assert str(error).startswith(f"{field} must be ")


def test_error_object_is_taken_to_depth_100() -> None:
    deepest = cases.nested(98)
    event, _ = DECODER.decode(raw(f'"error_payload": {{"a": {deepest}}}'))
    assert json.dumps(event.error_payload) == f'{{"a": {deepest}}}'


def test_takes_exactly_256_kib() -> None:
    data = cases.sized(MAX_PAYLOAD_BYTES)
    assert len(data) == 262_144
    _, extra = DECODER.decode(data)
    assert extra is not None


@pytest.mark.parametrize("field", [*FIELDS, "unknown"])
def test_the_message_tells_no_value_of_the_payload(
    field: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "zanzibar"
    spoilt = [
        payload(**{field: [secret]}),
        payload(**{field: {secret: secret}, "attempt_no": secret}),
        payload(**{field: secret * 20_000}),
        payload(**{field: secret})[:-3],
        payload(**{field: secret * 40_000}),
        raw(f'"{field}": "{secret}\\ud800"'),
        raw(f'"{field}": [{secret}]'),
        raw(f'"{field}": [NaN, "{secret}"]'),
    ]
    # Some are valid for some fields.
    messages = [str(error) for error in map(outcome, spoilt) if isinstance(error, ContractError)]
    assert len(messages) >= 4
    assert secret not in "".join(messages) + caplog.text


EVENT_IDS = [
    (payload(), "e1"),
    (payload(event_type="?"), "e1"),
    (payload(event_id="x" * 129), "x" * 129),
    (payload(event_id="x" * 1_025), "x" * 1_024),
    (raw(f'"n": {cases.MANY_DIGITS}'), "e1"),
    (cases.sized(MAX_PAYLOAD_BYTES + 1), "e1"),
    (payload(event_id=None), None),
    (payload(event_id=7), None),
    (payload()[:-1], None),
    (cases.without("event_id"), None),
    (b"", None),
    (b"[]", None),
    (b"\xff", None),
    (b"[" * 200_000, None),
    (raw(f'"z": {"[" * 200_000}'), None),
]


@pytest.mark.parametrize(("data", "expected"), EVENT_IDS, ids=range(len(EVENT_IDS)))
def test_event_id_is_read_where_it_can_be(data: bytes, expected: str | None) -> None:
    assert event_id_of(data) == expected


def test_a_required_field_may_be_followed_by_anything_but_must_be_there() -> None:
    for field in REQUIRED:
        assert str(refusal(cases.without(field))) == f"{field} is required"
