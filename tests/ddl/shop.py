"""The views and checks of the shop in plain Python, and random rows for its tables.

Shares no SQL and no constant with what it checks. Times lie on a coarse grid around midnight and
ids are few, so that ties, copies that conflict or lie on two dates, and users without a login come
about by themselves. Amounts have more digits than a double, but at most five decimals: bqemulator
keeps no more of a BIGNUMERIC.
"""

import collections
import datetime as dt
import random
from collections.abc import Iterable, Iterator
from decimal import Context, Decimal
from typing import Any

from schemas.families import FAMILIES
from tests.ddl import golden

Row = dict[str, Any]
Tables = dict[str, list[Row]]

MIDNIGHT = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
STATUSES = ["pending", "processing", "shipped", "delivered"]
STEPS = ["login", "view_product", "add_to_cart", "remove_from_cart", "logout"]
SIGNS = {"restock": 1, "return": 1, "sale": -1, "damage": -1}
PRICES = ["0", "0.1", "0.01", "9.99", "1234567.00001", "12345678901234567.89012"]
NAMES = ["A", "b", "é"]  # their order is that of their bytes
_EXACT = Context(prec=76)


def tables(seed: int, events: int = 80) -> Tables:
    """Rows of the three fact tables."""
    chance = random.Random(seed)
    return {
        "orders_fact": _facts(chance, "orders", _order, events),
        "inventory_fact": _facts(chance, "inventory", _change, events),
        "user_activity_fact": _facts(chance, "user_activity", _activity, events),
    }


def views(tables: Tables, first: dt.date, last: dt.date) -> dict[str, list[Row]]:
    """The rows of the views, and the number of findings of the checks, in no order."""
    orders = _kept(tables["orders_fact"], first, last)
    inventory = _kept(tables["inventory_fact"], first, last)
    activity = _kept(tables["user_activity_fact"], first, last)
    current = [max(events, key=_last) for events in _by(orders, "order_id")]
    totals = (_difference(order) for order in orders)
    cent = Decimal("0.01")
    return {
        "orders": orders,
        "orders_current": current,
        "customer_lifetime_value": [_customer(own) for own in _by(current, "customer_id")],
        "inventory": inventory,
        "stock_levels": [_stock(own) for own in _by(inventory, "product_id", "warehouse_id")],
        "user_activity": activity,
        "user_funnel": [row for day in _by(activity, "event_date") for row in _funnel(day)],
        "orders_total": _counted(
            "above" if more > 0 else "below" for more in totals if abs(more) > cent
        ),
        "inventory_sign": _counted(
            row["reason"] for row in inventory if row["quantity_change"] * SIGNS[row["reason"]] < 0
        ),
    }


def _kept(rows: list[Row], first: dt.date, last: dt.date) -> list[Row]:
    """Of the copies of an event of one date, the first."""
    within = [row for row in map(_typed, rows) if first <= row["event_date"] <= last]
    return [
        min(copies, key=lambda row: (row["publish_ts"], row["message_id"]))
        for copies in _by(within, "event_date", "event_id")
    ]


def _typed(row: Row) -> Row:
    times = {
        name: dt.datetime.fromisoformat(row[name])
        for name in ("order_date", "timestamp", "publish_ts", "processed_timestamp")
        if name in row
    }
    typed = row | times | {"event_date": dt.date.fromisoformat(row["event_date"])}
    if "items" in row:
        items = [item | {"price": Decimal(item["price"])} for item in row["items"]]
        typed |= {"items": items, "total_amount": Decimal(row["total_amount"])}
    return typed


def _by(rows: Iterable[Row], *keys: str) -> Iterable[list[Row]]:
    groups = collections.defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups.values()


def _last(order: Row) -> tuple[Any, ...]:
    rank = STATUSES.index(order["status"])
    return order["order_date"], rank, order["publish_ts"], order["event_id"]


def _sum(values: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _EXACT.add(total, value)
    return total


def _difference(order: Row) -> Decimal:
    items = _sum(_EXACT.multiply(item["price"], item["quantity"]) for item in order["items"])
    return _EXACT.subtract(order["total_amount"], items)


def _customer(orders: list[Row]) -> Row:
    return {
        "customer_id": orders[0]["customer_id"],
        "orders": len(orders),
        "delivered_orders": sum(order["status"] == "delivered" for order in orders),
        "lifetime_value": _sum(order["total_amount"] for order in orders),
        "last_order_date": max(order["order_date"] for order in orders),
    }


def _stock(changes: list[Row]) -> Row:
    quantity = sum(change["quantity_change"] for change in changes)
    return {
        "product_id": changes[0]["product_id"],
        "warehouse_id": changes[0]["warehouse_id"],
        "quantity": quantity,
        "is_low": quantity < 10,
        "last_change_ts": max(change["timestamp"] for change in changes),
    }


def _funnel(day: list[Row]) -> Iterator[Row]:
    def users(step: str) -> set[str]:
        return {row["user_id"] for row in day if row["activity_type"] == step}

    arrived = users("login")
    for place, step in enumerate(STEPS, 1):
        yield {
            "event_date": day[0]["event_date"],
            "step": place,
            "activity_type": step,
            "users": len(users(step)),
            "events": sum(row["activity_type"] == step for row in day),
            "conversion": len(arrived & users(step)) / len(arrived) if arrived else None,
        }


def _counted(findings: Iterable[str]) -> list[Row]:
    return [
        {"finding": name, "found": found} for name, found in collections.Counter(findings).items()
    ]


def _facts(chance: random.Random, family: str, make: Any, events: int) -> list[Row]:
    rows = [row for number in range(events) for row in _copies(chance, family, make, number)]
    chance.shuffle(rows)
    return [golden.fact(row, place, FAMILIES[family]) for place, row in enumerate(rows)]


def _copies(chance: random.Random, family: str, make: Any, number: int) -> Iterator[Row]:
    event_id = f"{chance.choice(NAMES)}{number}"
    time = FAMILIES[family].event_time
    event = make(chance) | {time: _text(_moment(chance))}
    for copy in range(chance.choice((1, 1, 1, 2, 3))):
        if copy and chance.random() < 0.5:  # it conflicts, perhaps on another date
            event = make(chance) | {time: _text(_moment(chance))}
        sent = MIDNIGHT + dt.timedelta(days=1, seconds=chance.randint(0, 1))
        extra = {"extra": {"a": copy}} if chance.random() < 0.1 else {}
        yield (
            event
            | extra
            | {
                "event_id": event_id,
                "publish_ts": _text(sent),
                "message_id": f"{event_id}#{chance.choice('Aab')}{copy}",
            }
        )


def _moment(chance: random.Random) -> dt.datetime:
    days, micros = chance.choice((0, 0, 0, -1)), chance.choice((0, 0, 0, -1))
    return MIDNIGHT + dt.timedelta(days, seconds=chance.randint(-1, 0), microseconds=micros)


def _text(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _order(chance: random.Random) -> Row:
    items = [
        {
            "product_id": f"p{place}",
            "product_name": "Lamp",
            "quantity": chance.randint(1, 3),
            "price": chance.choice(PRICES),
        }
        for place in range(chance.randint(1, 3))
    ]
    exact = _sum(_EXACT.multiply(Decimal(item["price"]), item["quantity"]) for item in items)
    off = chance.choice(("0", "0", "0.01", "-0.01", "0.01001", "-0.01001", "5"))
    return {
        "order_id": f"o{chance.randint(1, 20)}",
        "customer_id": f"c{chance.randint(1, 6)}",
        "status": chance.choice(STATUSES),
        "items": items,
        "total_amount": str(max(_EXACT.add(exact, Decimal(off)), Decimal(0))),
    }


def _change(chance: random.Random) -> Row:
    return {
        "product_id": f"p{chance.randint(1, 4)}",
        "warehouse_id": f"w{chance.randint(1, 4)}",
        "quantity_change": chance.randint(-2, 4),
        "reason": chance.choice(list(SIGNS)),
    }


def _activity(chance: random.Random) -> Row:
    return {
        "user_id": f"u{chance.randint(1, 40)}",
        "activity_type": chance.choice(STEPS),
        "metadata": {"session_id": "s1", "platform": chance.choice(("web", "mobile", "tablet"))},
    }
