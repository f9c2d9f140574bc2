"""Inventory: what comes into a warehouse is sold later, and at times returned or damaged."""

import datetime as dt
import random
from collections.abc import Iterator

from local_runner.traffic.events import DAY_HOURS, Event, Sent, rfc3339
from local_runner.traffic.families.shop import PRODUCTS, WAREHOUSES, unique_id

_LEAST_LOT, _LARGEST_LOT = 20, 100
_LARGEST_SALE = 8
_SALES = 14  # of a lot, at most
_RETURNED, _DAMAGED = 0.06, 0.04
_MEAN_MINUTES = 20.0
_UNTYPED = 0.2
_WITHOUT_ID = 0.1


def events(rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
    """Endless changes, lot by lot: no more leaves a warehouse than came in before."""
    end = start + dt.timedelta(hours=DAY_HOURS)
    while True:
        for sent in _lot(rng, start):
            if sent.happened_at < end:
                yield sent


def _lot(rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
    product, warehouse = rng.choice(PRODUCTS), rng.choice(WAREHOUSES)
    now = start + dt.timedelta(hours=rng.uniform(0, DAY_HOURS))
    identified = rng.random() >= _WITHOUT_ID

    def change(quantity: int, reason: str) -> Sent:
        event: Event = {
            "event_type": "inventory" if rng.random() < _UNTYPED else "inventory_changed",
            "inventory_id": f"entry-{rng.getrandbits(40):010x}",
            "product_id": product.product_id,
            "warehouse_id": warehouse,
            "quantity_change": quantity,
            "reason": reason,
            "timestamp": rfc3339(now),
        }
        if identified:
            event["event_id"] = unique_id(rng)
        return Sent(event, now)

    stock = rng.randint(_LEAST_LOT, _LARGEST_LOT)
    yield change(stock, "restock")
    for _ in range(_SALES):
        now += dt.timedelta(minutes=rng.expovariate(1 / _MEAN_MINUTES))
        sold = min(stock, rng.randint(1, _LARGEST_SALE))
        if not sold:
            return
        if rng.random() < _DAMAGED:
            stock -= 1
            yield change(-1, "damage")
            continue
        stock -= sold
        yield change(-sold, "sale")
        if rng.random() < _RETURNED:
            now += dt.timedelta(minutes=rng.expovariate(1 / _MEAN_MINUTES))
            stock += 1
            yield change(1, "return")
