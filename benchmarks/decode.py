"""Decode and validate one event: ours against parsing alone, and against other validators.

Floor: ``orjson.loads``, which parses to a dict and checks nothing. Ours gives the typed event with
every type, length and range checked, and the unknown fields as JSON. pydantic parses and validates
with a model of the same constraints; fastavro and jsonschema validate what orjson has parsed, which
is the quickest way to use them. Two hundred different events a pass, by processor time.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import fastavro
import jsonschema
import msgspec
import orjson

from benchmarks.harness.measure import Figure, Timed, cpu_seconds, interleaved
from benchmarks.harness.traffic import payloads
from benchmarks.rivals.pydantic_event import PydanticEvent
from schemas.event_time import EventTimeBounds
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.message import Message
from transforms.decoding.decode import Decoder
from transforms.lateness.rule import judge
from transforms.rows import FactRows
from transforms.validate import Validator

_EVENTS = 200
_TIMESTAMPS = ("client_ts", "session_start_ts", "session_expiry_ts")
_BOUNDS = EventTimeBounds(max_age=dt.timedelta(days=1800), max_ahead=dt.timedelta(days=1))


def run(quick: bool) -> list[Figure]:
    """All ratios are ours over theirs: smaller is better."""
    rounds, passes = (1, 1) if quick else (21, 10)
    mixed = payloads(_EVENTS)
    decode = Decoder(EXAM_EVENT).decode
    row = _row_maker()

    def against_orjson(ours: Callable[[bytes], Any], sent: Sequence[bytes]) -> float:
        contenders = {
            "ours": _timed(ours, sent, passes),
            "orjson": _timed(orjson.loads, sent, passes),
        }
        return interleaved(contenders, rounds).ratio("ours", "orjson")

    others = interleaved(
        {
            "ours": _timed(decode, mixed, passes),
            "pydantic": _timed(PydanticEvent.model_validate_json, mixed, passes),
            "fastavro": _timed(_fastavro(), mixed, passes),
            "jsonschema": _timed(_jsonschema(), mixed, passes),
        },
        max(rounds // 3, 1),
    )
    known, unknown = payloads(_EVENTS, False), payloads(_EVENTS, True)
    fastavro_ratio = others.ratio("ours", "fastavro")
    jsonschema_ratio = others.ratio("ours", "jsonschema")
    micros = others.median("ours") / passes / _EVENTS * 1e6
    return [
        Figure("decode_vs_orjson", against_orjson(decode, mixed), "mixed traffic", at_most=3),
        Figure(
            "decode_known_vs_orjson",
            against_orjson(Decoder(EXAM_EVENT).decode, known),
            "events without unknown fields",
            at_most=3,
        ),
        Figure(
            "decode_unknown_vs_orjson",
            against_orjson(decode, unknown),
            "events with two unknown fields",
            at_most=3,
        ),
        Figure("decode_vs_pydantic", others.ratio("ours", "pydantic"), "pydantic, from bytes"),
        Figure("decode_vs_fastavro", fastavro_ratio, "orjson + fastavro.validate", at_most=0.1),
        Figure("decode_vs_jsonschema", jsonschema_ratio, "orjson + jsonschema", at_most=0.1),
        Figure("row_vs_orjson", against_orjson(row, mixed), "from bytes to the finished row"),
        Figure("decode_microseconds", micros, "ours, per event", "µs"),
    ]


def _timed(work: Callable[[bytes], Any], sent: Sequence[bytes], passes: int) -> Timed:
    def go() -> None:
        for _ in range(passes):
            for payload in sent:
                work(payload)

    return lambda: cpu_seconds(go)


def _row_maker() -> Callable[[bytes], Any]:
    """Decode, the rules beyond types, lateness, row."""
    validator = Validator(EXAM_EVENT, _BOUNDS, Decoder(EXAM_EVENT))
    rows = FactRows(EXAM_EVENT, "0")
    now = dt.datetime.now(dt.UTC)

    def make(payload: bytes) -> Any:
        message = Message(payload=payload, message_id="1", publish_time=now, source="benchmark")
        accepted = validator.validate(message, now)
        return rows.build(accepted, judge(accepted.event), now)

    return make


def _fastavro() -> Callable[[bytes], Any]:
    text = resources.files("schemas").joinpath("exam_event/v1.avsc").read_text()
    schema: Any = fastavro.parse_schema(json.loads(text))

    def check(payload: bytes) -> Any:
        record = orjson.loads(payload)
        for name in _TIMESTAMPS:
            if name in record:  # Avro knows no text that is an instant
                record[name] = dt.datetime.fromisoformat(record[name])
        if "error_payload" in record:
            record["error_payload"] = json.dumps(record["error_payload"])
        return fastavro.validate(record, schema, raise_errors=True)

    return check


def _jsonschema() -> Callable[[bytes], Any]:
    schema = msgspec.json.schema(EXAM_EVENT.event)
    schema["$defs"][EXAM_EVENT.event.__name__]["additionalProperties"] = True
    validate = jsonschema.Draft202012Validator(schema).validate
    return lambda payload: validate(orjson.loads(payload))
