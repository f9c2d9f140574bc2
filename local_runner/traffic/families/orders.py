"""Orders: each is created, sometimes changed, then processed, shipped and delivered."""

import dataclasses
import datetime as dt
import random
from collections.abc import Iterator

from local_runner.traffic.events import DAY_HOURS, Event, Sent, rfc3339
from local_runner.traffic.families.shop import PRODUCTS, Product, any_customer, unique_id

_CHANGED = 0.2
_UNTYPED = 0.05  # from an old till that does not say what happened
_WITHOUT_ID = 0.1
_TEXT_PRICES = 0.3
_SHIPPED_AT_A_COST = 0.1
_SHIPPING_CENTS = 490
_EXTRA_FIELDS = 0.1
# The shop delivers within the city, on the same day.
_STEPS = (("processing", 30), ("shipped", 90), ("delivered", 120))


def events(rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
    """Endless events, order by order; an order that the day's end cuts off stays open."""
    end = start + dt.timedelta(hours=DAY_HOURS)
    while True:
        for sent in _Order(rng, start).events():
            if sent.happened_at < end:
                yield sent


@dataclasses.dataclass
class _Line:
    product: Product
    quantity: int


class _Order:
    """One order; ``events`` yields what the shop sends about it."""

    def __init__(self, rng: random.Random, start: dt.datetime) -> None:
        self._rng = rng
        self._order_id = f"order-{rng.getrandbits(40):010x}"
        self._customer = any_customer(rng)
        self._lines = [
            _Line(product, rng.choices((1, 2, 5), (8, 3, 1))[0])
            for product in rng.sample(PRODUCTS, rng.randint(1, 4))
        ]
        self._shipping_cents = _SHIPPING_CENTS if rng.random() < _SHIPPED_AT_A_COST else 0
        self._as_text = rng.random() < _TEXT_PRICES
        self._typed = rng.random() >= _UNTYPED
        self._identified = rng.random() >= _WITHOUT_ID
        self._extra = {"gift_wrap": "red"} if rng.random() < _EXTRA_FIELDS else {}
        self._now = start + dt.timedelta(hours=rng.uniform(0, DAY_HOURS))

    def events(self) -> Iterator[Sent]:
        """The order's events in the order in which they happen."""
        yield self._happens("order_created", "pending")
        if self._rng.random() < _CHANGED:
            self._now += dt.timedelta(minutes=self._rng.uniform(1, 10))
            self._lines[0].quantity += 1
            yield self._happens("order_updated", "pending")
        for status, mean_minutes in _STEPS:
            minutes = 10 + self._rng.expovariate(1 / mean_minutes)
            self._now += dt.timedelta(minutes=minutes)
            yield self._happens("order_status_changed", status)

    def _happens(self, kind: str, status: str) -> Sent:
        cents = sum(line.product.cents * line.quantity for line in self._lines)
        customer = self._customer
        event: Event = {
            "event_type": kind if self._typed else "order",
            "order_id": self._order_id,
            "customer_id": customer.customer_id,
            "order_date": rfc3339(self._now),
            "status": status,
            "items": [self._item(line) for line in self._lines],
            "shipping_address": {
                "street": customer.street,
                "city": customer.city,
                "country": customer.country,
            },
            "total_amount": self._price(cents + self._shipping_cents),
        }
        if self._identified:
            event["event_id"] = unique_id(self._rng)
        return Sent(event, self._now)

    def _item(self, line: _Line) -> Event:
        return {
            "product_id": line.product.product_id,
            "product_name": line.product.name,
            "quantity": line.quantity,
            "price": self._price(line.product.cents),
            **self._extra,
        }

    def _price(self, cents: int) -> float | str:
        """In the currency of the shop; a JSON number and a string are both allowed."""
        return f"{cents // 100}.{cents % 100:02}" if self._as_text else cents / 100
