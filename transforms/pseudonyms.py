"""Pseudonyms: what replaces the ids of persons in everything that is stored but the payload.

A pseudonym is the name of its key, a dot and 32 hex digits: ``k1.`` and the HMAC-SHA256 of the id.
After a rotation it is ``k2.`` and the HMAC of the old pseudonym, so that stored ones are replaced
without the ids.
"""

import functools
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import msgspec

from schemas.contract import PERSON_IDS, Field, FieldKind
from schemas.family import EventFamily
from schemas.message import ValidEvent
from transforms.rows import json_text

LEAST_KEY_BYTES = 32
_DIGITS = 32
_REMEMBERED = 10_000
_PSEUDONYM = re.compile(r"([a-z][a-z0-9_]{0,15})\.[0-9a-f]{32}")
_PURPOSE = b"exam-events: ids of events"
# Field names are compared without what distinguishes student_id, studentId and Student-ID.
_SEPARATORS = re.compile(r"[\W_]+")


def key_of(value: str) -> str | None:
    """The name of the key of a pseudonym; None for what does not look like one."""
    found = _PSEUDONYM.fullmatch(value)
    return found[1] if found else None


class PseudonymChain:
    """The keys of a run in the order of their rotation. Holds secrets, so it cannot be pickled."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Takes the keys by their names, the oldest first.

        Raises:
            ValueError: a key is too short, or given twice.
        """
        for name, key in keys.items():
            if len(key) < LEAST_KEY_BYTES:
                raise ValueError(
                    f"key {name} has {len(key)} bytes: it needs at least {LEAST_KEY_BYTES}"
                )
        if len(set(keys.values())) < len(keys):
            raise ValueError(f"keys {', '.join(keys)}: two of them are the same")
        self._keys = list(keys.items())
        self._after = {name: place for place, name in enumerate(keys, 1)}
        # The events of one person come close together.
        self._remembered = functools.lru_cache(_REMEMBERED)(self._pseudonym)

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys of pseudonyms are not pickled")

    def pseudonym(self, value: str) -> str:
        """What replaces an id.

        A pseudonym of one of the keys gets those that follow it: one of the last key stays.
        """
        return self._remembered(value)

    def _pseudonym(self, value: str) -> str:
        for name, key in self._keys[self._after.get(key_of(value) or "", 0) :]:
            value = f"{name}.{hmac.digest(key, value.encode(), 'sha256').hex()[:_DIGITS]}"
        return value

    def stages(self, value: str) -> list[str]:
        """The id, and its pseudonyms before and after each rotation."""
        found = [value]
        for place in range(len(self._keys)):
            found.append(PseudonymChain(dict([self._keys[place]])).pseudonym(found[-1]))
        return found

    @functools.cached_property
    def identity_key(self) -> bytes:
        """The key for ids of events, which stays when keys rotate: it comes from the first one."""
        return hmac.digest(self._keys[0][1], _PURPOSE, "sha256")


class _Step(NamedTuple):
    """A field to change, or a record with such fields; ``only_if`` as ``Field.private_if``."""

    name: str
    repeated: bool
    only_if: tuple[str, frozenset[str]] | None
    inner: "tuple[_Step, ...]"


class Pseudonymizer:
    """Replaces the ids of persons in the events of one family. Create it once per worker."""

    def __init__(self, family: EventFamily, chain: PseudonymChain) -> None:
        self._chain = chain
        fields = family.contract.fields
        self._private = _steps(fields, lambda field: field.has_pseudonym)
        self._documents = _steps(fields, lambda field: field.kind is FieldKind.JSON)

    def replace(self, valid: ValidEvent) -> ValidEvent:
        """The event with pseudonyms; its message stays as received.

        In JSON objects they replace each value of a key that is named like the id of a person, and
        each string that is one of the event's own private values.
        """
        replaced: dict[str, str] = {}

        def pseudonym(value: str) -> str:
            replaced[value] = self._chain.pseudonym(value)
            return replaced[value]

        event = _changed(valid.event, self._private, pseudonym)
        extra = valid.extra
        if self._documents:
            event = _changed(event, self._documents, lambda d: self._document(d, replaced))
        if extra is not None:
            document = msgspec.json.decode(extra)
            changed = self._document(document, replaced)
            extra = extra if changed == document else json_text(changed)
        return msgspec.structs.replace(valid, event=event, extra=extra)

    def _document(self, value: Any, replaced: Mapping[str, str]) -> Any:
        match value:
            case str():
                return replaced.get(value, value)
            case list():
                return [self._document(element, replaced) for element in value]
            case dict():
                return {
                    name: self._chain.pseudonym(str(member))
                    if _is_id(member) and names_person(name)
                    else self._document(member, replaced)
                    for name, member in value.items()
                }
            case _:
                return value


def _is_id(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or type(value) is int


def names_person(name: str) -> bool:
    """Whether a field of this name has the id of a person, however it is spelled."""
    return _plain(name) in _PERSON_IDS


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


_PERSON_IDS = frozenset(map(_plain, PERSON_IDS))


def _steps(fields: Iterable[Field], wanted: Callable[[Field], bool]) -> tuple[_Step, ...]:
    found = []
    for field in fields:
        inner = _steps(field.fields, wanted)
        if inner or wanted(field):
            found.append(_Step(field.name, field.repeated, field.private_if, inner))
    return tuple(found)


def _changed(record: Any, steps: Sequence[_Step], change: Callable[[Any], Any]) -> Any:
    """A copy of a struct with other values in these fields; nulls stay."""
    changes: dict[str, Any] = {}
    for name, repeated, only_if, inner in steps:
        value = getattr(record, name)
        if value is None or (only_if and getattr(record, only_if[0]) not in only_if[1]):
            continue
        one = functools.partial(_changed, steps=inner, change=change) if inner else change
        changes[name] = [one(element) for element in value] if repeated else one(value)
    return msgspec.structs.replace(record, **changes) if changes else record
