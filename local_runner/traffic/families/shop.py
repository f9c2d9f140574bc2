"""The shop that the simulated orders, stock and visits are about."""

import dataclasses
import random
import uuid


@dataclasses.dataclass(frozen=True)
class Product:
    """Something that the shop sells; ``cents`` is its price."""

    product_id: str
    name: str
    cents: int


@dataclasses.dataclass(frozen=True)
class Customer:
    """Someone who has an account."""

    customer_id: str
    street: str
    city: str
    country: str
    ip_address: str


_NAMES_AND_CENTS = (
    ("Desk lamp", 2495),
    ("Bulb, two pieces", 350),
    ("Notebook, A5", 490),
    ("Fountain pen", 3900),
    ("Ink, blue", 650),
    ("Backpack", 7950),
    ("Water bottle", 1890),
    ("Headphones", 12900),
    ("USB cable", 990),
    ("Office chair", 24900),
    ("Wall calendar", 1450),
    ("Sticky notes", 275),
)
PRODUCTS = tuple(
    Product(f"product-{number:02}", name, cents)
    for number, (name, cents) in enumerate(_NAMES_AND_CENTS, start=1)
)
WAREHOUSES = ("bergen", "hamburg", "lyon")

_CITIES = (
    ("Bergen", "Norway"),
    ("Hamburg", "Germany"),
    ("Lyon", "France"),
    ("Porto", "Portugal"),
    ("Ghent", "Belgium"),
)
_STREETS = ("Harbour Road", "Mill Lane", "Station Street", "Church Square")
# Addresses for documentation: https://www.rfc-editor.org/rfc/rfc5737
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
CUSTOMERS = tuple(
    Customer(
        f"customer-{number:03}",
        f"{number} {_STREETS[number % len(_STREETS)]}",
        *_CITIES[number % len(_CITIES)],
        f"{_NETWORKS[number % len(_NETWORKS)]}.{number}",
    )
    for number in range(1, 81)
)


def any_customer(rng: random.Random) -> Customer:
    """A customer; a few of them come often."""
    return CUSTOMERS[min(int(rng.expovariate(1 / 20)), len(CUSTOMERS) - 1)]


def unique_id(rng: random.Random) -> str:
    """A UUID."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
