"""Finds the SQL files: ``ddl/<event family>/<kind>/NAME.sql``, and ``ddl/shared`` for all families.

There is no list to maintain: a file in its folder is used. ``shared/operations`` has views over
BigQuery's INFORMATION_SCHEMA, ``<event family>/history`` views over an older dataset, too, and
``<event family>/runs`` what a run of the warehouse takes from the events.
"""

import functools
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Literal

from schemas.families import FAMILIES, with_needed
from schemas.family import EventFamily

Kind = Literal["tables", "views", "checks", "operations", "history", "stored", "runs"]

_SHARED = "shared"


def find(kind: Kind, families: Iterable[EventFamily] | None = None) -> Mapping[str, str]:
    """Name to path below ``ddl/``, by folder and then by name.

    Args:
        kind: which files.
        families: whose, besides the shared ones and those of the families that they need; None for
            all.

    Raises:
        ValueError: two files have the same name, and so would what they define.
    """
    found = _find(kind)
    if families is None:
        return found
    folders = {*(family.name for family in with_needed(families)), _SHARED}
    return {name: path for name, path in found.items() if path.partition("/")[0] in folders}


def text(path: str) -> str:
    """What a file that ``find`` found says."""
    return resources.files("ddl").joinpath(path).read_text(encoding="utf-8")


def family_of(path: str) -> EventFamily | None:
    """The family of a file that ``find`` found; None for a shared one."""
    return FAMILIES.get(path.partition("/")[0])


@functools.cache
def _find(kind: Kind) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for folder in (*FAMILIES, _SHARED):
        directory = resources.files("ddl") / folder / kind
        if not directory.is_dir():
            continue
        for file in sorted(directory.iterdir(), key=lambda file: file.name):
            name, _, extension = file.name.rpartition(".")
            path = f"{folder}/{kind}/{file.name}"
            if extension != "sql":
                continue
            if name in found:
                raise ValueError(f"ddl/{found[name]} and ddl/{path} have one name: rename one")
            found[name] = path
    return found
