"""Finds the SQL files: ``ddl/<event family>/<kind>/NAME.sql``, and ``ddl/shared`` for all families.

There is no list to maintain: a file in its folder is used.
"""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Literal

from schemas.families import FAMILIES

Kind = Literal["tables", "views", "checks"]

FOLDERS = (*FAMILIES, "shared")


@functools.cache
def find(kind: Kind) -> Mapping[str, str]:
    """Name to path below ``ddl/``, by folder and then by name.

    Raises:
        ValueError: two files have the same name, and so would what they define.
    """
    found: dict[str, str] = {}
    for folder in FOLDERS:
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
