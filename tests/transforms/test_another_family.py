"""The door for further event families: one that exists only here runs through all steps."""

import datetime as dt
import enum
from typing import Annotated, Any

import msgspec

from schemas.errors import ContractError, ErrorKind
from schemas.family import EventFamily
from schemas.message import ValidEvent
from tests.transforms import builders
from tests.transforms.running import run_steps
from transforms.rows import columns

NOW = dt.datetime.now(dt.UTC)


class OrderType(enum.StrEnum):
    PLACED = "placed"
    FAILED = "failed"


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    event_id: Annotated[str, msgspec.Meta(description="a string")]
    event_type: Annotated[OrderType, msgspec.Meta(description="placed or failed")]
    client_ts: Annotated[dt.datetime, msgspec.Meta(tz=True, description="a timestamp")]
    cents: Annotated[int, msgspec.Meta(ge=0, description="an integer from 0")]
    gift: Annotated[bool, msgspec.Meta(description="true or false")] = False
    shipped_ts: dt.datetime | None = None
    basket: dict[str, Any] | None = None


class AcceptedOrder(ValidEvent, frozen=True, kw_only=True):
    event: Order


def gifts_cost_nothing(order: Order) -> None:
    if order.gift and order.cents:
        raise ContractError(ErrorKind.RULE_VIOLATION, "a gift must cost nothing", "cents")


ORDERS = EventFamily(
    name="order",
    event=Order,
    valid_event=AcceptedOrder,
    table="orders_fact",
    rules=(gifts_cost_nothing,),
    dead_letter_types={OrderType.FAILED: ErrorKind.STORE_ERROR},
    renamed={"cents": "price_cents"},
)


def order(event_id: str, **fields: Any) -> Any:
    """A message: ``placed``, 100 cents, at this moment."""
    defaults = {"event_type": "placed", "client_ts": NOW.isoformat(), "cents": 100}
    body = msgspec.json.encode({"event_id": event_id} | defaults | fields)
    return builders.message(body, message_id=event_id, publish_time=NOW)


def test_a_further_family_needs_no_change_to_the_steps() -> None:
    outcome = run_steps(
        [
            order("o1", basket={"b": [1], "a": None}, colour="red"),
            order("o2", event_type="answer_submit"),
            order("o3", gift=True),
            order("o4", cents=None),
            order("o5", event_type="failed"),
        ],
        family=ORDERS,
    )
    (row,) = outcome.rows
    assert tuple(row) == columns(ORDERS)
    assert row.keys() == {
        *("event_id", "event_type", "client_ts", "price_cents", "gift", "shipped_ts", "basket"),
        *("extra", "event_date", "publish_ts", "ingest_ts", "message_id", "pipeline_version"),
    }
    assert (row["price_cents"], row["gift"], row["shipped_ts"]) == (100, False, None)
    assert (row["basket"], row["extra"]) == ('{"a":null,"b":[1]}', '{"colour":"red"}')
    values = {
        letter.event_id: (letter.rejection.kind, letter.rejection.field)
        for letter in outcome.letters
    }
    assert values == {
        "o2": (ErrorKind.SCHEMA_VIOLATION, "event_type"),
        "o3": (ErrorKind.RULE_VIOLATION, "cents"),
        "o4": (ErrorKind.SCHEMA_VIOLATION, "cents"),
        "o5": (ErrorKind.STORE_ERROR, None),
    }
    assert {letter.event_family for letter in outcome.letters} == {"order"}
    (failed,) = (letter for letter in outcome.letters if letter.event_id == "o5")
    assert failed.event is not None
    assert (failed.event.client_ts, failed.event.test_id) == (NOW, None)


def test_a_refused_row_of_a_further_family_is_the_message_again() -> None:
    sent = order("o1", basket={"b": 1}, colour="red")
    outcome = run_steps([sent], family=ORDERS, refused=frozenset({"o1"}))
    (letter,) = outcome.letters
    assert (letter.message, outcome.rows) == (sent, [])
