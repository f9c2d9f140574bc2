"""Stored tables: ``ddl/<event family>/stored/NAME.sql``, each with the query that defines its rows.

A file begins with a header of ``-- name: value`` lines and goes on with CREATE TABLE and a SELECT:

- ``key``: the columns that identify a row;
- ``level``: 1 where the rows are made of what a run takes from the events, 2 where they are made of
  other stored tables;
- ``touched``: the columns by which a run selects rows; the key where left out.

The SELECT names what it reads as ``${name}``: another stored table, or a table function
``<name>_between``. The same text defines the view ``NAME_live``, for all that is stored in events,
and the rows that a run writes. created_at and updated_at are the run's, and no part of the SELECT.
"""

import dataclasses
import functools
import graphlib
import re
import string
from collections.abc import Iterable, Mapping

from google.cloud import bigquery

from ddl import files, table_file
from gcp.dataset import Dataset
from schemas.family import EventFamily

# What a run fills in, beside the columns of the SELECT.
CREATED, UPDATED = "created_at", "updated_at"

_HEADER = re.compile(r"-- (key|level|touched): (.+)\n")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_ALWAYS = frozenset({"project", "dataset"})


@dataclasses.dataclass(frozen=True)
class StoredTable:
    """A stored table, as its file declares it.

    Attributes:
        family: whose events its rows come from.
        key: the columns that identify a row; none is null.
        touched: the columns by which a run selects rows.
        create: the CREATE TABLE statement.
        declared: the table that it declares.
        template: the SELECT, with its placeholders.
    """

    family: EventFamily
    name: str
    key: tuple[str, ...]
    level: int
    touched: tuple[str, ...]
    create: str
    declared: bigquery.Table
    template: str

    @functools.cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the SELECT."""
        return tuple(f.name for f in self.declared.schema if f.name not in (CREATED, UPDATED))

    @property
    def partition(self) -> str:
        """The column that the table is partitioned by."""
        by_range = self.declared.range_partitioning
        return str((by_range or self.declared.time_partitioning).field)

    @property
    def has_date(self) -> bool:
        """Whether the table has a date; its view has a function with dates then."""
        return self.declared.range_partitioning is None

    @property
    def reads(self) -> frozenset[str]:
        """The placeholders of the SELECT."""
        return frozenset(_PLACEHOLDER.findall(self.template)) - _ALWAYS

    @property
    def live(self) -> str:
        """The view with the rows that the events give now."""
        return f"{self.name}_live"

    def select(self, dataset: Dataset, sources: Mapping[str, str]) -> str:
        """The SELECT over these sources, SQL that may stand behind FROM."""
        variables = {"project": dataset.project, "dataset": dataset.name, **sources}
        return string.Template(self.template).substitute(variables).strip()


def stored_tables(
    dataset: Dataset, families: Iterable[EventFamily] | None = None
) -> list[StoredTable]:
    """The stored tables of these families, or of all, each after those that it reads."""
    paths = files.find("stored", families)
    found = {name: _table(dataset, name, path) for name, path in paths.items()}
    reads = {name: sorted(table.reads & found.keys()) for name, table in found.items()}
    return [found[name] for name in graphlib.TopologicalSorter(reads).static_order()]


def _table(dataset: Dataset, name: str, path: str) -> StoredTable:
    family = files.family_of(path)
    if family is None:
        raise ValueError(f"ddl/{path}: a stored table belongs to an event family")
    text = files.text(path)
    header = dict(_HEADER.findall(text))
    create, _, template = text.partition(";\n")
    if not {"key", "level"} <= header.keys() or not template.strip():
        raise ValueError(f"ddl/{path} must have -- key: and -- level: lines, a table and a SELECT")
    create = string.Template(create).substitute(project=dataset.project, dataset=dataset.name)
    key = tuple(header["key"].split(", "))
    touched = header.get("touched")
    return StoredTable(
        family=family,
        name=name,
        key=key,
        level=int(header["level"]),
        touched=tuple(touched.split(", ")) if touched else key,
        create=create,
        declared=table_file.declared(dataset.table(name), create),
        template=template,
    )
