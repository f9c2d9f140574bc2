"""What the traffic of any event family is made of."""

import dataclasses
import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from schemas.errors import ErrorKind

DAY_HOURS = 8
"""How long a simulated day is."""

Event: TypeAlias = dict[str, Any]


class Sent(NamedTuple):
    """An event and the true time at which it happened (the device's clock may differ)."""

    event: Event
    happened_at: dt.datetime


class Broken(NamedTuple):
    """A message that breaks the contract.

    Attributes:
        body: the payload.
        kind: the error kind of its dead letter.
        field: the error field of its dead letter; None where no single field is at fault.
        hides_family: whether the family cannot be seen in the payload, so that only an attribute
            names it.
    """

    body: bytes
    kind: ErrorKind
    field: str | None
    hides_family: bool


Breakage: TypeAlias = Callable[[Event], Broken]
"""Makes a broken message of a valid event."""


@dataclasses.dataclass(frozen=True)
class FamilyTraffic:
    """How one event family is simulated.

    Attributes:
        events: endless valid events of the day that begins at a time, from a seeded generator.
        breakages: in the order in which they are used.
        conflicting: another event with the same event_id.
        malformed_share: of all messages.
        attributes: of every message.
    """

    events: Callable[[random.Random, dt.datetime], Iterator[Sent]]
    breakages: Sequence[Breakage]
    conflicting: Callable[[Event], Event]
    malformed_share: float
    attributes: Mapping[str, str]


def encode(event: Event) -> bytes:
    """The event as its app sends it."""
    return msgspec.json.encode(event)


def rfc3339(moment: dt.datetime) -> str:
    """A time as the apps write it, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
