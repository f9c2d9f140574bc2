"""The event families: each folder of ``schemas/`` with a ``family.py`` that defines FAMILY."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

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
