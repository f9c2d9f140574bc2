"""User activity: visits from login to logout, with products looked at and put into the cart."""

import datetime as dt
import random
from collections.abc import Iterator

from local_runner.traffic.events import DAY_HOURS, Event, Sent, rfc3339
from local_runner.traffic.families.shop import PRODUCTS, any_customer, unique_id

_MOST_VIEWS = 7
_ADDED, _REMOVED, _LOGGED_OUT = 0.3, 0.2, 0.7
_MEAN_SECONDS = 45.0
_WITHOUT_ID = 0.1
_EXTRA_FIELDS = 0.12  # an app version that also says which product it is
_AGENTS = {
    "web": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "mobile": "ShopApp/3.4 (Android 15)",
    "tablet": "ShopApp/3.4 (iPadOS 18.5)",
}


def events(rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
    """Endless activities, visit by visit."""
    while True:
        yield from _visit(rng, start)


def _visit(rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
    customer = any_customer(rng)
    platform = rng.choices(tuple(_AGENTS), (5, 4, 1))[0]
    session_id = unique_id(rng)
    identified, detailed = rng.random() >= _WITHOUT_ID, rng.random() < _EXTRA_FIELDS
    now = start + dt.timedelta(hours=rng.uniform(0, DAY_HOURS - 1))

    def does(activity: str, product_id: str | None = None) -> Sent:
        nonlocal now
        event: Event = {
            "event_type": "user_activity",
            "user_id": customer.customer_id,
            "activity_type": activity,
            "ip_address": customer.ip_address,
            "user_agent": _AGENTS[platform],
            "timestamp": rfc3339(now),
            "metadata": {"session_id": session_id, "platform": platform},
        }
        if detailed and product_id is not None:
            event["metadata"]["product_id"] = product_id
        if identified:
            event["event_id"] = unique_id(rng)
        sent = Sent(event, now)
        now += dt.timedelta(seconds=1 + rng.expovariate(1 / _MEAN_SECONDS))
        return sent

    yield does("login")
    for product in rng.sample(PRODUCTS, rng.randint(1, _MOST_VIEWS)):
        yield does("view_product", product.product_id)
        if rng.random() < _ADDED:
            yield does("add_to_cart", product.product_id)
            if rng.random() < _REMOVED:
                yield does("remove_from_cart", product.product_id)
    if rng.random() < _LOGGED_OUT:
        yield does("logout")
