"""Valid events of any family, made up from its contract."""

import datetime as dt
import decimal
import random
import string
from collections.abc import Iterator, Sequence
from typing import Any

from local_runner.traffic.events import DAY_HOURS, Event, Sent, encode, rfc3339
from local_runner.traffic.from_pattern import matching
from schemas.contract import Field, FieldKind
from schemas.errors import ContractError
from schemas.family import EventFamily
from transforms.decoding.decode import Decoder

_NULL_SHARE = 0.3
_LEFT_OUT_SHARE = 0.5
_UNKNOWN_SHARE = 0.12
_TRIES = 1_000
_CHARACTERS = string.ascii_lowercase + string.digits
# How far values go from their lower limit where the contract allows more.
_MORE_CHARACTERS, _MORE_ELEMENTS, _MORE_OF_A_NUMBER = 12, 3, 1_000
_CENT = decimal.Decimal("0.01")


class ContractEvents:
    """Makes events of one family up."""

    def __init__(self, family: EventFamily) -> None:
        self._family = family
        self._decoder = Decoder(family)

    def day(self, rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
        """Endless events at random times of the day; some have a field that nobody knows."""
        while True:
            moment = start + dt.timedelta(hours=rng.uniform(0, DAY_HOURS))
            made = self.event(rng, moment)
            if self._family.unknown != "refuse" and rng.random() < _UNKNOWN_SHARE:
                made["app_build"] = rng.randrange(5100, 5140)
            yield Sent(made, moment)

    def event(self, rng: random.Random, moment: dt.datetime, *, whole: bool = False) -> Event:
        """An event that the contract and the family's rules accept.

        Args:
            rng: where the values come from.
            moment: the event time.
            whole: whether every field has a value, also those that may be null.

        Raises:
            ValueError: no made-up event keeps the rules.
        """
        for _ in range(_TRIES):
            made = _record(self._family.contract.fields, rng, moment, whole)
            if self._family.event_time is not None:
                made[self._family.event_time] = rfc3339(moment)
            if made.get("event_id") and self._family.contract["event_id"].pattern is None:
                made["event_id"] = f"{rng.getrandbits(64):016x}"  # a short one may come again
            if self._keeps_the_rules(made):
                return made
        raise ValueError(f"{self._family.name}: its rules accept no made-up event")

    def _keeps_the_rules(self, made: Event) -> bool:
        event, _ = self._decoder.decode(encode(made))
        try:
            for rule in self._family.rules:
                rule(event)
        except ContractError:
            return False
        return True


def _record(
    fields: Sequence[Field], rng: random.Random, moment: dt.datetime, whole: bool
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in fields:
        if field.nullable and not whole and rng.random() < _NULL_SHARE:
            if rng.random() >= _LEFT_OUT_SHARE:
                made[field.name] = None
            continue
        made[field.name] = _value(field, rng, moment, whole)
    return made


def _value(field: Field, rng: random.Random, moment: dt.datetime, whole: bool) -> Any:
    if not field.repeated:
        return _one(field, rng, moment, whole)
    count = _length(field, rng, max(field.min_length or 0, 1), _MORE_ELEMENTS)
    return [_one(field, rng, moment, whole) for _ in range(count)]


def _one(field: Field, rng: random.Random, moment: dt.datetime, whole: bool) -> Any:
    if field.symbols:
        return rng.choice(field.symbols)
    match field.kind:
        case FieldKind.STRUCT:
            return _record(field.fields, rng, moment, whole)
        case FieldKind.STRING:
            return _text(field, rng)
        case FieldKind.BOOL:
            return rng.random() < 0.5
        case FieldKind.INT64:
            low, high = _bounds(field)
            return rng.randint(int(low), int(high))
        case FieldKind.FLOAT64:
            least, most = map(float, _bounds(field))
            return min(max(round(rng.uniform(least, most), 3), least), most)
        case FieldKind.NUMERIC:
            return _decimal(field, rng)
        case FieldKind.TIMESTAMP:
            return rfc3339(moment - dt.timedelta(seconds=rng.uniform(0, 3_600)))
        case FieldKind.DATE:
            return (moment - dt.timedelta(days=rng.randrange(30))).date().isoformat()
        case FieldKind.JSON:
            return {"note": "made up", "number": rng.randrange(100)}


def _text(field: Field, rng: random.Random) -> str:
    if field.pattern is not None:
        return matching(field, rng)
    low = 1 if field.repeated else max(field.min_length or 0, 1)
    count = (
        rng.randint(low, low + 8) if field.repeated else _length(field, rng, low, _MORE_CHARACTERS)
    )
    return "".join(rng.choices(_CHARACTERS, k=count))


def _length(field: Field, rng: random.Random, low: int, more: int) -> int:
    high = low + more if field.max_length is None else min(field.max_length, low + more)
    return rng.randint(min(low, high), high)


def _bounds(field: Field) -> tuple[decimal.Decimal, decimal.Decimal]:
    low, high = field.minimum, field.maximum
    if low is None:
        low = (
            decimal.Decimal(0)
            if high is None
            else min(high - _MORE_OF_A_NUMBER, decimal.Decimal(0))
        )
    return low, low + _MORE_OF_A_NUMBER if high is None else high


def _decimal(field: Field, rng: random.Random) -> float | str:
    """As a JSON number or a string: both are allowed."""
    low, high = _bounds(field)
    drawn = decimal.Decimal(rng.uniform(float(low), float(high))).quantize(_CENT)
    value = min(max(drawn, low), high)
    return float(value) if rng.random() < 0.5 else str(value)
