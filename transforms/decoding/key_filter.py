"""Leaves of a JSON field only what its family stores."""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.family import EventFamily, KeptKeys
from transforms.decoding.personal_data import without_personal_data, without_personal_data_in_name

_DROPPED = object()


class KeyFilter:
    """Applies the ``kept_keys`` of a family."""

    def __init__(self, family: EventFamily) -> None:
        self._fields = tuple(family.kept_keys.items())

    def apply(self, event: Any) -> tuple[Any, list[str]]:
        """The event as it is stored, and the paths of what was dropped, such as ``data.name``."""
        dropped: list[str] = []
        changed: dict[str, Any] = {}
        for name, kept in self._fields:
            document = getattr(event, name)
            if document is not None:
                changed[name] = _stored(document, kept, event.event_type, f"{name}.", dropped)
        return (msgspec.structs.replace(event, **changed) if changed else event), dropped


def _stored(
    document: dict[str, Any], kept: KeptKeys, event_type: str, inside: str, dropped: list[str]
) -> dict[str, Any]:
    keys = kept.by_type.get(event_type, frozenset())
    stored = {}
    for key, value in document.items():
        clean = without_personal_data_in_name if key in kept.names else without_personal_data
        small = _value(value, clean) if key in keys else _DROPPED
        if small is _DROPPED:
            dropped.append(f"{inside}{key}")
        else:
            stored[key] = small
    return stored


def _value(value: Any, clean: Callable[[str], str]) -> Any:
    """The value without personal data; _DROPPED where it holds an object, whose keys none lists."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        values = [_DROPPED if isinstance(one, list) else _value(one, clean) for one in value]
        return _DROPPED if _DROPPED in values else values
    return _DROPPED if isinstance(value, dict) else value
