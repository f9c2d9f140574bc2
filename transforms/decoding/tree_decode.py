"""The slow path of decoding: reads a payload as a plain tree.

It separates what the contract does not know, at every level, and names the field at fault.
"""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from schemas.contract import FieldKind
from schemas.errors import ContractError, ErrorKind
from schemas.family import EventFamily
from transforms.decoding.contract_tree import Node, check_members, tree
from transforms.decoding.exact_json import WideNumber, exact_number, exact_tree

_PAST_MICROSECOND = re.compile(r"(\.[0-9]{6})[0-9]+")
# msgspec takes it, RFC 3339 does not.
_BASIC_OFFSET = re.compile(r"[+-][0-9]{4}\Z")
_NO_TIMESTAMP = ""
# Wrong for every type but FLOAT64 and NUMERIC, as the number in whose place it stands.
_NOT_OF_TYPE: Any = object()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A name with one of these would make a path that another one may have.
_QUOTED_NAME = re.compile(r'[.\[\]"]')


@dataclasses.dataclass(frozen=True)
class Parts:
    """An event, and the fields that the contract does not know by their path."""

    event: Any
    unknown: Mapping[str, Any]


class TreeDecoder:
    """Decodes the payloads of one event family. Create it once per worker: it is not picklable."""

    def __init__(self, family: EventFamily) -> None:
        self._struct = family.event
        self._members = tree(family)
        self._nested = any(node.members for node in self._members.values())
        # A struct does not check all of a decimal or a time; rules of the family may.
        self._check_all = family.written is None
        self._decoder = msgspec.json.Decoder(float_hook=exact_number)

    def decode(self, payload: bytes) -> Parts:
        """The event of one UTF-8 JSON object.

        Raises:
            ContractError: not_json or schema_violation.
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: the payload is no JSON.
        """
        record = self._read(payload)
        if not isinstance(record, dict):
            raise ContractError(ErrorKind.SCHEMA_VIOLATION, "the body must be a JSON object")
        unknown: dict[str, Any] = {}
        known = self._known(self._members, record, "", unknown, 2)
        if self._check_all:
            check_members(self._members, known, "")
        try:
            event = msgspec.convert(known, self._struct)
        except msgspec.ValidationError:
            check_members(self._members, known, "")
            raise AssertionError("the struct rejects what each of its fields accepts") from None
        return Parts(event, unknown)

    def _known(
        self,
        members: Mapping[str, Node],
        record: Mapping[str, Any],
        inside: str,
        unknown: dict[str, Any],
        depth: int,
    ) -> dict[str, Any]:
        """The fields that the contract knows; the others are added to ``unknown``."""
        known = {}
        for name, value in record.items():
            node = members.get(name)
            if node is None:
                path = self._path(inside, name)
                unknown[path] = exact_tree(value, path, depth)
            else:
                known[name] = self._value(node, value, f"{inside}{name}", unknown, depth)
        return known

    def _value(self, node: Node, value: Any, path: str, unknown: dict[str, Any], depth: int) -> Any:
        if node.field.repeated and isinstance(value, list):
            return [
                self._one(node, element, f"{path}[{place}]", unknown, depth + 1)
                for place, element in enumerate(value)
            ]
        return self._one(node, value, path, unknown, depth)

    def _one(self, node: Node, value: Any, path: str, unknown: dict[str, Any], depth: int) -> Any:
        if node.members and isinstance(value, dict):
            return self._known(node.members, value, f"{path}.", unknown, depth + 1)
        if node.field.kind is FieldKind.TIMESTAMP and isinstance(value, str):
            return (
                _NO_TIMESTAMP
                if _BASIC_OFFSET.search(value)
                else _PAST_MICROSECOND.sub(r"\1", value, count=1)
            )
        if self._check_all and not isinstance(value, dict | list):
            return _leaf(node.field.kind, value)
        return exact_tree(value, path, depth)

    def _path(self, inside: str, name: str) -> str:
        if self._nested and _QUOTED_NAME.search(name):
            return f"{inside}[{json.dumps(name, ensure_ascii=False)}]"
        return f"{inside}{name}"

    def _read(self, payload: bytes) -> Any:
        try:
            return self._decoder.decode(payload)
        except msgspec.ValidationError:
            # An integer of thousands of digits is valid JSON, but more than Python converts.
            return _read_slowly(payload)


def _leaf(kind: FieldKind, value: Any) -> Any:
    """A value of a field with a type of its own: a wide number is a number, not its text."""
    if type(value) is int:
        value = exact_number(str(value))
    if type(value) is not WideNumber:
        return value
    if kind is FieldKind.NUMERIC:
        return str(value)
    number = float(value)
    return number if kind is FieldKind.FLOAT64 and math.isfinite(number) else _NOT_OF_TYPE


def not_json(payload: bytes, reason: str) -> ContractError:
    """The error of a payload that cannot be parsed; ``reason`` is the parser's."""
    if not payload.strip():
        return ContractError(ErrorKind.NOT_JSON, "the body is empty")
    if payload.startswith(_BYTE_ORDER_MARK):
        return ContractError(
            ErrorKind.NOT_JSON, "the body starts with a byte order mark: send UTF-8 without one"
        )
    if _has_lone_surrogate(payload):
        return ContractError(
            ErrorKind.NOT_JSON, "the body has a lone surrogate in a string: send valid UTF-8"
        )
    return ContractError(ErrorKind.NOT_JSON, f"the body is not valid JSON: {reason}")


def _has_lone_surrogate(payload: bytes) -> bool:
    """Whether the body has an escaped lone surrogate; msgspec calls such a body truncated."""
    try:
        json.dumps(json.loads(payload.decode(), parse_int=str), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _read_slowly(payload: bytes) -> Any:
    """Parses with the standard library, rejecting what msgspec does not accept as JSON."""

    def reject(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        read = json.loads(
            payload.decode(),
            parse_int=exact_number,
            parse_float=exact_number,
            parse_constant=reject,
        )
        json.dumps(read, ensure_ascii=False).encode()  # fails on lone surrogates
    except ValueError as error:
        raise not_json(payload, type(error).__name__) from None
    return read
