"""Decodes bytes to a typed event, or says why they are not one (DESIGN 2).

Most messages are decoded in one step. The others, and all that are wrong, are read a second time as
a plain tree, which separates unknown fields and names the field at fault.
"""

import collections
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.errors import ContractError, ErrorKind
from schemas.family import EventFamily
from transforms.decoding.exact_json import MAX_NAME_LENGTH
from transforms.decoding.fast_decode import FastDecoder
from transforms.decoding.key_filter import KeyFilter
from transforms.decoding.personal_data import without_personal_data
from transforms.decoding.tree_decode import TreeDecoder, not_json
from transforms.decoding.unknown_fields import without_places

MAX_PAYLOAD_BYTES = 256 * 1024
# A dead letter keeps the event_id in a column, and it may be as long as the message.
MAX_EVENT_ID_LENGTH = 1024

# Of the names under which dropped fields are counted; senders may make up more.
_MAX_COUNTED = 100
_COUNTED_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
OTHER_FIELDS = "other"

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Decoder:
    """Decodes the payloads of one event family. Create it once per worker: it is not picklable.

    It learns which unknown fields the apps send, so that the next such message is decoded in one
    pass. Learning changes the speed, never the result.

    Attributes:
        dropped: how often unknown fields were dropped, by name; for a family that drops them, or
            keys of its JSON fields.
    """

    def __init__(self, family: EventFamily) -> None:
        self._unknown = family.unknown
        self._one_step = FastDecoder(family)
        self._tree = TreeDecoder(family)
        self._keys = KeyFilter(family)
        self._extra = msgspec.json.Encoder(order="sorted")
        self._names: set[str] = set()
        self.dropped: collections.Counter[str] = collections.Counter()

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
            raise too_large()
        try:
            return self._one_step.decode(payload) or self._decode_tree(payload)
        except UNREADABLE as error:
            raise unreadable(payload, error) from None

    def _decode_tree(self, payload: bytes) -> tuple[Any, str | None]:
        parts = self._tree.decode(payload)
        event, keys = self._keys.apply(parts.event)
        self._count_dropped(keys)
        if not parts.unknown:
            return event, None
        if self._unknown == "keep":
            return event, self._kept(parts.unknown)
        if self._unknown == "refuse":
            name = next(iter(parts.unknown))[:MAX_NAME_LENGTH]
            raise ContractError(
                ErrorKind.SCHEMA_VIOLATION, f"{name} is not a field of the contract", name
            )
        self._count_dropped(parts.unknown)
        return event, None

    def _kept(self, unknown: Mapping[str, Any]) -> str:
        self._one_step = self._one_step.expecting(unknown)
        return self._extra.encode(unknown).decode()

    def _count_dropped(self, names: Iterable[str]) -> None:
        for path in names:
            name = without_places(path)
            if name not in self._names:
                name = name if self._may_count(name) else OTHER_FIELDS
                self._names.add(name)
            self.dropped[name] += 1

    def _may_count(self, name: str) -> bool:
        """Whether a metric may have this name, which a sender made up."""
        return (
            len(self._names) < _MAX_COUNTED
            and _COUNTED_NAME.fullmatch(name) is not None
            and without_personal_data(name) == name
        )


def too_large() -> ContractError:
    """The error of a message beyond the contract's limit."""
    return ContractError(
        ErrorKind.TOO_LARGE, f"the message is larger than {MAX_PAYLOAD_BYTES:,} bytes"
    )


def unreadable(payload: bytes, error: Exception) -> ContractError:
    """What is wrong with a payload that msgspec cannot parse: ``error`` is one of UNREADABLE."""
    if isinstance(error, RecursionError):
        return ContractError(
            ErrorKind.SCHEMA_VIOLATION, "the body is nested deeper than 100 levels"
        )
    if isinstance(error, UnicodeDecodeError):
        return ContractError(ErrorKind.NOT_JSON, "the body is not UTF-8")
    return not_json(payload, str(error))


def event_id_of(payload: bytes) -> str | None:
    """The event_id of an invalid message, if it can be read; at most 1,024 characters."""
    try:
        event_id = msgspec.json.decode(payload, type=_Identified).event_id
        return event_id and event_id[:MAX_EVENT_ID_LENGTH]
    except UNREADABLE:
        return None


class _Identified(msgspec.Struct):
    event_id: str | None = None
