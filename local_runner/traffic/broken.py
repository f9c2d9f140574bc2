"""Messages that break a contract in every way that it knows, and the dead letters they become."""

import copy
import dataclasses
import datetime as dt
import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from local_runner.traffic.events import Breakage, Broken, Event, encode
from local_runner.traffic.from_contract import ContractEvents
from local_runner.traffic.wrong_values import Change, wrong_arrays, wrong_values
from schemas.contract import Field
from schemas.errors import ErrorKind
from schemas.family import EventFamily
from transforms.decoding.decode import MAX_PAYLOAD_BYTES

_EVENT_TYPE = "event_type"
_UNKNOWN = "made_up_field"
_MOMENT = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
_FAR_AWAY = ("1970-01-01T00:00:05Z", "2098-01-01T00:00:00Z")  # a device whose clock was reset


def breakages(family: EventFamily) -> list[Breakage]:
    """Every way to break the family's contract, types and times; the first few show each kind."""
    seeded = random.Random(0)  # noqa: S311 - traffic, not secrets
    whole = ContractEvents(family).event(seeded, _MOMENT, whole=True)
    times = _times(family)
    fields: list[Breakage] = [
        _FieldBreakage(path, change, whole, of_element)
        for path in _paths(family.contract.fields)
        for change, of_element in _changes(path[-1])
        # Whose event it is then depends on the families of the run.
        if path[-1].name != family.route_by or change("") not in (None, msgspec.UNSET)
    ]
    seeded.shuffle(fields)
    first = [_cut_off, _too_large, fields.pop(), *times[:1]]
    others = [way for way in (*_BODIES, *times) if way not in first]
    if family.unknown == "refuse":
        others.append(_with_unknown_field)
    seeded.shuffle(others)
    return [*first, *_alternating(others, fields)]


def _alternating(one: Sequence[Breakage], other: Sequence[Breakage]) -> Iterator[Breakage]:
    for pair in itertools.zip_longest(one, other):
        yield from (way for way in pair if way is not None)


def _paths(fields: Sequence[Field], inside: tuple[Field, ...] = ()) -> Iterator[tuple[Field, ...]]:
    """Each field after the records that it is in."""
    for field in fields:
        path = (*inside, field)
        yield path
        yield from _paths(field.fields, path)


def _changes(field: Field) -> Iterator[tuple[Change, bool]]:
    """Wrong values, and whether they are those of one element of an array."""
    if not field.nullable:
        yield (lambda _: msgspec.UNSET), False
    yield from ((change, field.repeated) for change in wrong_values(field))
    if field.repeated:
        yield from ((change, False) for change in wrong_arrays(field))


class _Place(NamedTuple):
    container: Any
    key: Any
    path: str


@dataclasses.dataclass(frozen=True)
class _FieldBreakage:
    """Changes one field, of the last element of each array on the way.

    Attributes:
        path: the records that the field is in, then the field.
        change: makes the wrong value.
        whole: an event with all fields, from which the event takes what it lacks.
        of_element: whether an element of the array is changed, not the array.
    """

    path: tuple[Field, ...]
    change: Change
    whole: Event
    of_element: bool

    def __call__(self, event: Event) -> Broken:
        changed = copy.deepcopy(event)
        place = self._find(changed)
        if place is None:
            outermost = self.path[0].name
            changed[outermost] = copy.deepcopy(self.whole[outermost])
            place = self._find(changed)
        assert place is not None, "the whole event has every field"  # noqa: S101
        value = self.change(place.container[place.key])
        if value is msgspec.UNSET:
            del place.container[place.key]
        else:
            place.container[place.key] = value
        body = encode(changed)
        if len(body) > MAX_PAYLOAD_BYTES:
            return Broken(body, ErrorKind.TOO_LARGE, None, hides_family=False)
        hides = place.path == _EVENT_TYPE
        return Broken(body, ErrorKind.SCHEMA_VIOLATION, place.path, hides)

    def _find(self, event: Event) -> _Place | None:
        """Where the value is; None if the event has no value there."""
        place = _Place(event, self.path[0].name, self.path[0].name)
        for outer, inner in itertools.pairwise(self.path):
            if (value := _value(place)) is None:
                return None
            if outer.repeated:
                place = _last(value, place.path)
                value = _value(place)
            place = _Place(value, inner.name, f"{place.path}.{inner.name}")
        if (value := _value(place)) is None:
            return None
        return _last(value, place.path) if self.of_element else place


def _value(place: _Place) -> Any:
    """None where there is none, or an array without elements."""
    inside = place.container
    value = inside.get(place.key) if isinstance(inside, dict) else inside[place.key]
    return None if value == [] else value


def _last(array: list[Any], path: str) -> _Place:
    return _Place(array, len(array) - 1, f"{path}[{len(array) - 1}]")


def _times(family: EventFamily) -> list[Breakage]:
    name = family.event_time
    if name is None:
        return []

    def moved(time: str) -> Breakage:
        return lambda event: Broken(
            encode(event | {name: time}), ErrorKind.RULE_VIOLATION, name, hides_family=False
        )

    return [moved(time) for time in _FAR_AWAY]


def _not_json(body: bytes, *, hides_family: bool = True) -> Broken:
    return Broken(body, ErrorKind.NOT_JSON, None, hides_family)


def _with_member(event: Event, value: bytes) -> bytes:
    """The event with an unknown field, whose value need not be JSON."""
    return encode(event)[:-1] + f',"{_UNKNOWN}":'.encode() + value + b"}"


def _cut_off(event: Event) -> Broken:
    return _not_json(encode(event)[:-20])


def _empty(_: Event) -> Broken:
    return _not_json(b"")


def _not_a_number(event: Event) -> Broken:
    return _not_json(_with_member(event, b"NaN"))


def _byte_order_mark(event: Event) -> Broken:
    return _not_json(b"\xef\xbb\xbf" + encode(event))


def _not_utf8(event: Event) -> Broken:
    # Routing does not read the strings of unknown fields.
    return _not_json(_with_member(event, '"é"'.encode("latin-1")), hides_family=False)


def _lone_surrogate(event: Event) -> Broken:
    return _not_json(_with_member(event, rb'"\ud800"'))


def _array(event: Event) -> Broken:
    return Broken(b"[" + encode(event) + b"]", ErrorKind.SCHEMA_VIOLATION, None, hides_family=True)


def _text(_: Event) -> Broken:
    return Broken(b'"event"', ErrorKind.SCHEMA_VIOLATION, None, hides_family=True)


def _too_deep(event: Event) -> Broken:
    body = _with_member(event, b"[" * 100 + b"]" * 100)
    return Broken(body, ErrorKind.SCHEMA_VIOLATION, _UNKNOWN, hides_family=False)


def _far_too_deep(event: Event) -> Broken:
    body = _with_member(event, b"[" * 10_000 + b"]" * 10_000)
    return Broken(body, ErrorKind.SCHEMA_VIOLATION, None, hides_family=True)


def _too_large(event: Event) -> Broken:
    body = encode(event | {_UNKNOWN: "." * MAX_PAYLOAD_BYTES})
    return Broken(body, ErrorKind.TOO_LARGE, None, hides_family=False)


def _with_unknown_field(event: Event) -> Broken:
    body = encode(event | {_UNKNOWN: 1})
    return Broken(body, ErrorKind.SCHEMA_VIOLATION, _UNKNOWN, hides_family=False)


# What no contract allows.
_BODIES: Sequence[Breakage] = (
    *(_cut_off, _empty, _not_a_number, _byte_order_mark, _not_utf8, _lone_surrogate),
    *(_array, _text, _too_deep, _far_too_deep, _too_large),
)
