"""Changes of dimensions and sessions: what bounds their times, and what their partition is."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from schemas.errors import ContractError
from schemas.event_time import EventTimeBounds
from schemas.families import DEFAULT_FAMILY, FAMILIES, with_needed
from schemas.family import EventFamily
from schemas.message import Message, ValidEvent
from transforms.decoding.decode import Decoder
from transforms.lateness.rule import NOT_APPLICABLE
from transforms.rows import FactRows
from transforms.validate import Validator

DIMENSION, SESSION = FAMILIES["dimension_change"], FAMILIES["session_change"]
NOW = dt.datetime(2026, 3, 2, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-1)))
BOUNDS = EventTimeBounds(max_age=dt.timedelta(days=1800), max_ahead=dt.timedelta(days=1))


def validate(family: EventFamily, **fields: Any) -> ValidEvent:
    sent = {
        "dimension_change": {"dimension": "student", "key": "s1", "row": {"grade": "9"}},
        "session_change": {"session_id": "x1"},
    }[family.name]
    event = {
        "event_type": family.name,
        "op": "upsert",
        "version_ts": "1999-12-31T23:00:00Z",
        **sent,
        **fields,
    }
    message = Message(
        payload=msgspec.json.encode(event), message_id="m1", publish_time=NOW, source="s"
    )
    validator = Validator(family, family.bounded(BOUNDS), Decoder(family))
    return validator.validate(message, NOW)


def test_a_dimension_change_of_any_age_is_stored_by_its_publish_date() -> None:
    rows = FactRows(DIMENSION, "test")
    made = rows.build(validate(DIMENSION), NOT_APPLICABLE, NOW)
    row = dict(zip(rows.columns, made, strict=True))
    assert row["event_date"] == dt.date(2026, 3, 3)
    assert row["row"] == '{"grade":"9"}'


@pytest.mark.parametrize(
    ("fields", "at_fault"), [({"row": None}, "row"), ({"name": "Ada"}, "name")]
)
def test_an_upsert_without_row_and_an_unknown_field_are_rejected(
    fields: dict[str, Any], at_fault: str
) -> None:
    with pytest.raises(ContractError) as caught:
        validate(DIMENSION, **fields)
    assert caught.value.field == at_fault


def test_a_session_may_expire_within_a_year() -> None:
    soon = NOW + dt.timedelta(days=364)
    assert validate(SESSION, expiry_ts=soon)
    with pytest.raises(ContractError, match="364 days after publish time"):
        validate(SESSION, expiry_ts=soon + dt.timedelta(seconds=1))


def test_a_wider_bound_of_the_run_holds_for_every_family() -> None:
    wide = EventTimeBounds(max_age=dt.timedelta(days=1), max_ahead=dt.timedelta(days=400))
    assert SESSION.bounded(wide) == DEFAULT_FAMILY.bounded(wide) == wide
    assert DEFAULT_FAMILY.bounded(BOUNDS) == BOUNDS


def test_the_exam_needs_both() -> None:
    assert with_needed([DEFAULT_FAMILY]) == [DEFAULT_FAMILY, DIMENSION, SESSION]
    assert with_needed([SESSION, DEFAULT_FAMILY]) == [SESSION, DEFAULT_FAMILY, DIMENSION]
