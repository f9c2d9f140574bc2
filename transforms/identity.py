"""The event_id of an event that brings none (families page): a digest of what it says."""

import datetime as dt
import decimal
import hashlib
import hmac
from typing import Any

import msgspec

from transforms import numeric

_DIGITS = 32
_JSON = msgspec.json.Encoder(order="sorted")


def with_event_id(event: Any, extra: str | None, key: bytes | None = None) -> Any:
    """A copy of the event whose event_id is the digest of its content.

    Args:
        event: a struct of a family.
        extra: its unknown fields, as a JSON object with sorted keys.
        key: of ids, where pseudonyms are used: without it nobody can find the person in an id by
            trying all of them.
    """
    return msgspec.structs.replace(event, event_id=digest(event, extra, key))


def digest(event: msgspec.Struct, extra: str | None, key: bytes | None = None) -> str:
    """The first 32 hex digits of SHA-256 over the canonical JSON of fields and ``extra``.

    Under a key it is HMAC-SHA256.

    Canonical: keys sorted, null fields left out (so that a contract that grows by optional fields
    keeps its identities), times in UTC, decimals as their column holds them.
    """
    document = _plain(event)
    if extra is not None:
        document["extra"] = msgspec.Raw(extra.encode())
    canonical = _JSON.encode(document)
    if key is not None:
        return hmac.digest(key, canonical, "sha256").hex()[:_DIGITS]
    return hashlib.sha256(canonical).hexdigest()[:_DIGITS]


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _plain(member) for name, member in fields if member is not None}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, decimal.Decimal):
        return format(numeric.rounded(value), "f")
    return value
