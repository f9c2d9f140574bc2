"""Writes ``docs/bi``, or says what differs there."""

from collections.abc import Mapping
from pathlib import Path

from dashboard.bi import looker, looker_studio, ossie


def files() -> Mapping[str, str]:
    """Path below ``docs/bi`` to content."""
    return looker.files() | looker_studio.files() | ossie.files()


def write(folder: Path) -> None:
    """Writes the files and removes others of their kinds."""
    wanted = files()
    for name in _present(folder) - wanted.keys():
        (folder / name).unlink()
    for name, content in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def differing(folder: Path) -> list[str]:
    """The files that are missing, changed or left over."""
    wanted = files()
    changed = {
        name
        for name, content in wanted.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != content
    }
    return sorted(changed | (_present(folder) - wanted.keys()))


def _present(folder: Path) -> set[str]:
    kinds = (".lkml", ".sql", ".yaml")
    return {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in kinds
    }
