"""Decodes bytes to a typed event, or says why they are not one (DESIGN 2).

Most messages are decoded in one step. The others, and all that are wrong, are read a second time as
a plain tree, which separates unknown fields and names the field at fault.
"""

import json
import re
from typing import Any, NoReturn

import msgspec
from msgspec import inspect as types

from schemas.errors import ContractError, ErrorKind
from schemas.family import EventFamily
from schemas.field_types import field_types_of
from transforms.exact_json import exact_number, exact_tree
from transforms.fast_decode import FastDecoder

MAX_PAYLOAD_BYTES = 256 * 1024
# A dead letter keeps the event_id in a column, and it may be as long as the message.
MAX_EVENT_ID_LENGTH = 1024

_PAST_MICROSECOND = re.compile(r"(\.[0-9]{6})[0-9]+")
# msgspec takes it, RFC 3339 does not.
_BASIC_OFFSET = re.compile(r"[+-][0-9]{4}\Z")
_NO_TIMESTAMP = ""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Decoder:
    """Decodes the payloads of one event family. Create it once per worker: it is not picklable.

    It learns which unknown fields the apps send, so that the next such message is decoded in one
    pass. Learning changes the speed, never the result.
    """

    def __init__(self, family: EventFamily) -> None:
        self._struct = family.event
        self._one_step = FastDecoder(family.event)
        self._tree = msgspec.json.Decoder(float_hook=exact_number)
        self._extra = msgspec.json.Encoder(order="sorted")
        self._fields = {field.name: field for field in msgspec.structs.fields(family.event)}
        self._field_types = field_types_of(family.event)
        self._timestamps = [
            n for n, s in self._field_types.items() if types.DateTimeType in s.kinds
        ]

    def decode(self, payload: bytes) -> tuple[Any, str | None]:
        """The event, and the fields that the contract does not know.

        Args:
            payload: one UTF-8 JSON object, at most 256 KiB.

        Returns:
            The family's struct, and a JSON object with sorted keys or None.

        Raises:
            ContractError: too_large, not_json or schema_violation.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ContractError(
                ErrorKind.TOO_LARGE, f"the message is larger than {MAX_PAYLOAD_BYTES:,} bytes"
            )
        try:
            return self._one_step.decode(payload) or self._decode_tree(payload)
        except RecursionError:
            _reject_depth()
        except UnicodeDecodeError:
            raise ContractError(ErrorKind.NOT_JSON, "the body is not UTF-8") from None
        except msgspec.DecodeError as error:
            raise _not_json(payload, str(error)) from None

    def _decode_tree(self, payload: bytes) -> tuple[Any, str | None]:
        tree = self._read_tree(payload)
        if not isinstance(tree, dict):
            raise ContractError(ErrorKind.SCHEMA_VIOLATION, "the body must be a JSON object")
        known: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        for name, value in tree.items():
            (known if name in self._fields else unknown)[name] = exact_tree(value, name)
        for name in self._timestamps:
            text = known.get(name)
            if isinstance(text, str):
                known[name] = (
                    _NO_TIMESTAMP
                    if _BASIC_OFFSET.search(text)
                    else _PAST_MICROSECOND.sub(r"\1", text, count=1)
                )
        try:
            event = msgspec.convert(known, self._struct)
        except msgspec.ValidationError:
            self._name_fault(known)
        if not unknown:
            return event, None
        self._one_step = self._one_step.expecting(unknown)
        return event, self._extra.encode(unknown).decode()

    def _read_tree(self, payload: bytes) -> Any:
        try:
            return self._tree.decode(payload)
        except msgspec.ValidationError:
            # An integer of thousands of digits is valid JSON, but more than Python converts.
            return _read_tree_slowly(payload)

    def _name_fault(self, known: dict[str, Any]) -> NoReturn:
        """Raises schema_violation for the first field, in contract order, that does not fit."""
        for name, field in self._fields.items():
            if name not in known:
                if field.required:
                    raise ContractError(ErrorKind.SCHEMA_VIOLATION, f"{name} is required", name)
                continue
            try:
                msgspec.convert(known[name], field.type)
            except msgspec.ValidationError:
                raise ContractError(
                    ErrorKind.SCHEMA_VIOLATION,
                    f"{name} must be {self._field_types[name].description}",
                    name,
                ) from None
        raise AssertionError("the struct rejects what each of its fields accepts")


def event_id_of(payload: bytes) -> str | None:
    """The event_id of an invalid message, if it can be read; at most 1,024 characters."""
    try:
        event_id = msgspec.json.decode(payload, type=_Identified).event_id
        return event_id and event_id[:MAX_EVENT_ID_LENGTH]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Identified(msgspec.Struct):
    event_id: str | None = None


def _not_json(payload: bytes, reason: str) -> ContractError:
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


def _reject_depth() -> NoReturn:
    raise ContractError(
        ErrorKind.SCHEMA_VIOLATION, "the body is nested deeper than 100 levels"
    ) from None


def _read_tree_slowly(payload: bytes) -> Any:
    """Parses with the standard library, rejecting what msgspec does not accept as JSON."""

    def reject(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        tree = json.loads(
            payload.decode(),
            parse_int=exact_number,
            parse_float=exact_number,
            parse_constant=reject,
        )
        json.dumps(tree, ensure_ascii=False).encode()  # fails on lone surrogates
    except ValueError as error:
        raise _not_json(payload, type(error).__name__) from None
    return tree
