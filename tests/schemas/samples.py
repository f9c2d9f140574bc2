"""A family's samples: messages, and what becomes of them, in ``schemas/<family>/samples/``.

``<name>.json`` is one message: its ``payload``, whose bytes are taken as the file has them, or a
``body`` as text where that is no JSON; and the ``row`` that it becomes, null in every column that
is not named and without what the pipeline adds, or its ``dead_letter``.

``limits.json`` is a message that is valid (``payload``), the ``required`` fields by their path, and
for each field values that are ``accepted`` and ``rejected`` in its place, with what the error
message says that it ``must_be``. {"characters": 3} stands for a string of three characters,
{"elements": 3} for an array with three times the first element.
"""

import copy
import datetime as dt
import decimal
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import schemas
from schemas.errors import ContractError, Rejection
from schemas.event_time import EventTimeBounds
from schemas.families import FAMILIES
from schemas.family import EventFamily
from schemas.message import Message
from transforms.dead_letters import DeadLetterFactory
from transforms.decoding.decode import Decoder
from transforms.lateness.rule import NOT_APPLICABLE
from transforms.rows import FactRows
from transforms.validate import Validator

Outcome = dict[str, Any]

LIMITS = "limits"
PUBLISHED = dt.datetime(2026, 3, 2, 12, 0, 1, tzinfo=dt.UTC)
ADDED = {"publish_ts", "ingest_ts", "message_id", "pipeline_version", "contract_version"}
_BOUNDS = EventTimeBounds(max_age=dt.timedelta(days=1800), max_ahead=dt.timedelta(days=1))
_STEP = re.compile(r"[^.\[\]]+")
_NUMERIC = decimal.Context(prec=38)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=decimal.Decimal)


class Sample(NamedTuple):
    """A message and what becomes of it: {"row": ...} or {"dead_letter": ...}."""

    family: EventFamily
    name: str
    payload: bytes
    expected: Outcome


class _File(msgspec.Struct, forbid_unknown_fields=True):
    payload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    body: str = ""
    row: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    dead_letter: dict[str, str | None] | None = None


def folder(family: EventFamily) -> Path:
    return Path(schemas.__file__).parent / family.name / "samples"


def samples() -> list[Sample]:
    """The messages of all files but ``limits.json``."""
    return [
        _sample(family, path)
        for family in FAMILIES.values()
        for path in sorted(folder(family).iterdir())
        if path.stem != LIMITS
    ]


def outcome(sample: Sample) -> Outcome:
    """What the pipeline makes of a message, in the form of the files."""
    family = sample.family
    message = Message(payload=sample.payload, message_id="m1", publish_time=PUBLISHED, source="s")
    letters = DeadLetterFactory(family, "test")
    try:
        valid = Validator(family, _BOUNDS, Decoder(family)).validate(message, PUBLISHED)
    except ContractError as error:
        letter = letters.of_error(message, Rejection.of(error), "Validate", PUBLISHED)
    else:
        if valid.event.event_type not in family.dead_letter_types:
            rows = FactRows(family, "test")
            values = rows.build(valid, NOT_APPLICABLE, PUBLISHED)
            return {"row": _row(family, dict(zip(rows.columns, values, strict=True)))}
        letter = letters.of_event(message, valid, "Validate", PUBLISHED)
    rejection = letter.rejection
    found = {
        "event_id": letter.event_id,
        "error_kind": rejection.kind,
        "error_field": rejection.field,
        "error_message": rejection.message,
    }
    return {"dead_letter": {name: value for name, value in found.items() if value is not None}}


def _row(family: EventFamily, row: dict[str, Any]) -> dict[str, Any]:
    lateness = {"late_status", "is_late_submission", "late_by_seconds", "deadline_ts"}
    hidden = {family.column(name) for name in ADDED} | lateness | {"deadline_source"}
    json_columns = {field.name for field in family.contract.fields if field.kind == "JSON"}
    return {
        name: _exact(value) if name in {"extra", *json_columns} else plain(value)
        for name, value in row.items()
        if value is not None and name not in hidden
    }


def plain(value: Any) -> Any:
    """A value of a row in JSON's types: decimals as the shortest text, times in UTC."""
    match value:
        case decimal.Decimal():
            return format(value.normalize(_NUMERIC), "f")
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date():
            return value.isoformat()
        case list():
            return [plain(element) for element in value]
        case dict():
            return {name: plain(member) for name, member in value.items()}
        case _:
            return value


def _sample(family: EventFamily, path: Path) -> Sample:
    file = msgspec.json.decode(path.read_bytes(), type=_File)
    payload = file.body.encode() if file.payload is msgspec.UNSET else bytes(file.payload)
    if file.dead_letter is not None:
        return Sample(family, path.stem, payload, {"dead_letter": file.dead_letter})
    assert file.row is not msgspec.UNSET, f"{path} has neither a row nor a dead letter"
    return Sample(family, path.stem, payload, {"row": _exact(bytes(file.row))})


def limits() -> list[Sample]:
    """The messages of all ``limits.json``; of those accepted, nothing more is expected."""
    return [sample for family in FAMILIES.values() for sample in _limits(family)]


def _limits(family: EventFamily) -> Iterator[Sample]:
    file = _exact((folder(family) / f"{LIMITS}.json").read_bytes())
    for path in file["required"]:
        yield _with(family, file["payload"], path, msgspec.UNSET, "is required")
    for path, field in file["fields"].items():
        for value in field.get("accepted", []):
            yield _with(family, file["payload"], path, value, None)
        for value in field.get("rejected", []):
            yield _with(family, file["payload"], path, value, f"must be {field['must_be']}")


def _with(
    family: EventFamily, payload: dict[str, Any], path: str, value: Any, wrong: str | None
) -> Sample:
    """The message with another value at a path, or with none."""
    changed = copy.deepcopy(payload)
    *steps, last = [int(step) if step.isdigit() else step for step in _STEP.findall(path)]
    inside: Any = changed
    for step in steps:
        inside = inside[step]
    if value is msgspec.UNSET:
        del inside[last]
    else:
        inside[last] = _spelt_out(value, inside.get(last) if isinstance(last, str) else None)
    expected = {
        "error_kind": "schema_violation",
        "error_field": path,
        "error_message": f"{path} {wrong}",
    }
    if isinstance(event_id := changed.get("event_id"), str):
        expected["event_id"] = event_id
    name = f"{path} {'left out' if value is msgspec.UNSET else _ENCODER.encode(value).decode()}"
    outcome = {"dead_letter": expected} if wrong else {}
    return Sample(family, name, _ENCODER.encode(changed), outcome)


def _spelt_out(value: Any, original: Any) -> Any:
    match value:
        case {"characters": int(number)}:
            return "x" * number
        case {"elements": int(number)}:
            return original[:1] * number
        case _:
            return value


def _exact(text: str | bytes) -> Any:
    return _DECODER.decode(text)


def fields_with_limits(family: EventFamily) -> set[str]:
    """The fields that ``limits.json`` has values for, by their path in the contract."""
    file = _exact((folder(family) / f"{LIMITS}.json").read_bytes())
    return {re.sub(r"\[\d+\]", "", path) for path in file["fields"]}
