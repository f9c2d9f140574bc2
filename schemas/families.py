"""The event families: each folder of ``schemas/`` with a ``family.py`` that defines FAMILY."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping

import schemas
from schemas.family import EventFamily


def _registered() -> Iterator[EventFamily]:
    for folder in pkgutil.iter_modules(schemas.__path__):
        if folder.ispkg:
            family: EventFamily = importlib.import_module(f"schemas.{folder.name}.family").FAMILY
            if family.name != folder.name:
                raise ValueError(f"schemas/{folder.name} registers a family named {family.name}")
            yield family


FAMILIES: Mapping[str, EventFamily] = {family.name: family for family in _registered()}
DEFAULT_FAMILY = FAMILIES["exam_event"]


def with_needed(families: Iterable[EventFamily]) -> list[EventFamily]:
    """The families, and those whose tables their views read, each once."""
    found: dict[str, EventFamily] = {}
    waiting = list(families)
    while waiting:
        family = waiting.pop(0)
        if family.name not in found:
            found[family.name] = family
            waiting += (FAMILIES[name] for name in family.needs)
    return list(found.values())
