"""Event families that exist only in a test."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from schemas import contract
from schemas.families import FAMILIES
from schemas.family import EventFamily

ID = {"type": "string", "minLength": 1, "maxLength": 128}
TIMESTAMP = {"type": {"type": "long", "logicalType": "timestamp-micros"}}
NUMERIC = {"type": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}}


def field(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """A field of a contract, as in an ``.avsc``."""
    return {"name": name, "doc": f"The {name}.", **declared}


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    """A record type, as in an ``.avsc``."""
    return {"type": "record", "name": name, "doc": f"A {name}.", "fields": list(fields)}


def enum(*symbols: str) -> dict[str, Any]:
    """An enum type, as in an ``.avsc``."""
    return {"type": {"type": "enum", "name": symbols[0].title(), "symbols": list(symbols)}}


def nullable(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The same field, which may be null or left out."""
    return {**declared, "type": ["null", declared["type"]], "default": None}


@contextlib.contextmanager
def registered(fields: Mapping[str, Any], **registration: Any) -> Iterator[EventFamily]:
    """A family with this contract, registered as long as the context lasts."""
    family = EventFamily(**registration)
    family.__dict__["contract"] = contract.parse(fields)  # in the place of its file
    families: Any = FAMILIES
    families[family.name] = family
    try:
        yield family
    finally:
        del families[family.name]
