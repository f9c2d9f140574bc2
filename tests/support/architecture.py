"""Which folder of the code may import which: the rules as data, and what breaks them.

A folder that does not exist breaks nothing. An import inside a function counts like any other.
"""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

_BELOW_RUNNER = {"schemas", "gcp", "transforms", "pipeline", "ddl", "warehouse", "dashboard"}
# Package to what else of ours it may import.
MAY_IMPORT: dict[str, set[str]] = {
    "schemas": set(),
    "gcp": {"schemas"},
    "transforms": {"schemas"},
    "pipeline": {"schemas", "gcp", "transforms"},
    "ddl": {"schemas", "gcp"},
    "warehouse": {"schemas", "gcp", "transforms", "pipeline", "ddl"},
    "dashboard": {"schemas", "gcp", "ddl", "warehouse"},
    "local_runner": _BELOW_RUNNER,
    "benchmarks": _BELOW_RUNNER | {"local_runner"},
    "examples": set(),  # to be copied
}
# What setup.py lists; a folder of the benchmarks may be of any size.
PRODUCT = sorted(MAY_IMPORT.keys() - {"benchmarks", "examples"})
# Inside pipeline/: folder to the folders of which it knows nothing.
KNOWS_NOTHING_OF: dict[str, set[str]] = {
    "sources": {"micro_batch", "replay", "erase", "capture"},
    "sinks": {"micro_batch", "replay", "erase", "capture"},
    "lookups": {"micro_batch", "replay", "erase", "capture"},
}
MOST_LINES = 300
MOST_MODULES = 14


def violations(root: Path) -> list[str]:
    """What breaks a rule in the tree below ``root``, a line each."""
    return [
        *_between_packages(root),
        *_inside_pipeline(root),
        *_crowded_folders(root),
        *_long_modules(root),
        *_tests_of_tests(root),
    ]


def imports(root: Path, path: Path) -> Iterator[tuple[str, ...]]:
    """Each name that a module imports, in parts; of ``from a.b import c`` it is a, b, c."""
    package = path.relative_to(root).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            yield from ((*module, alias.name) for alias in node.names)


def modules(root: Path, folder: str) -> list[Path]:
    """The modules below a folder."""
    return sorted((root / folder).rglob("*.py"))


def _between_packages(root: Path) -> Iterator[str]:
    ours = {*MAY_IMPORT, "tests"}
    for package, allowed in MAY_IMPORT.items():
        for path in modules(root, package):
            found = {name[0] for name in imports(root, path)} & ours
            for other in sorted(found - allowed - {package}):
                yield f"{path.relative_to(root)} imports {other}"


def _inside_pipeline(root: Path) -> Iterator[str]:
    """What a folder must not know, and arrows between folders that run in a circle."""
    folders = [path for path in sorted((root / "pipeline").glob("*")) if path.is_dir()]
    arrows: dict[str, set[str]] = {}
    for folder in folders:
        for path in modules(root, f"pipeline/{folder.name}"):
            found = {name[1] for name in imports(root, path) if name[0] == "pipeline" and name[1:]}
            arrows.setdefault(folder.name, set()).update(found - {folder.name})
            for other in sorted(found & KNOWS_NOTHING_OF.get(folder.name, set())):
                yield f"{path.relative_to(root)} imports pipeline.{other}"
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as circle:
        yield f"pipeline/ has a circle of imports: {' <- '.join(circle.args[1])}"


def _crowded_folders(root: Path) -> Iterator[str]:
    for package in PRODUCT:
        folders = {path.parent for path in modules(root, package)}
        for folder in sorted(folders):
            count = sum(path.name != "__init__.py" for path in folder.glob("*.py"))
            if count > MOST_MODULES:
                yield f"{folder.relative_to(root)} has {count} modules"


def _long_modules(root: Path) -> Iterator[str]:
    for package in [*MAY_IMPORT, "tests"]:
        for path in modules(root, package):
            lines = len(path.read_text().splitlines())
            if lines > MOST_LINES:
                yield f"{path.relative_to(root)} has {lines} lines"


def _tests_of_tests(root: Path) -> Iterator[str]:
    """Test modules that another module imports: what is shared stands in a helper module."""
    for path in modules(root, "tests"):
        found = {
            ".".join(name[:length])
            for name in imports(root, path)
            for length in range(2, len(name) + 1)
            if name[0] == "tests"
            and name[length - 1].startswith("test_")
            and root.joinpath(*name[:length]).with_suffix(".py").exists()
        }
        yield from (f"{path.relative_to(root)} imports {name}" for name in sorted(found))
