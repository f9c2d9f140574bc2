"""The types of the semantic model, and its loader."""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Literal

import msgspec

from schemas.families import FAMILIES

Format = Literal[
    "text", "boolean", "integer", "decimal", "percent", "seconds", "hour", "timestamp", "date"
]
# The models that belong to no single event family.
SHARED = ("operations",)


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to group and filter by.

    Attributes:
        name: of the column in a result, and of the filter.
        label: for a reader.
        description: what a value means.
        format: how a value is shown.
        sql: the expression over the table's columns; empty is the column ``name``.
        required: whether rows without a value are left out where this dimension is grouped by.
    """

    name: str
    label: str
    description: str
    format: Format = "text"
    sql: str = ""
    required: bool = False

    @property
    def expression(self) -> str:
        """The SQL of the value."""
        return self.sql or self.name


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number over a group of rows; ``sql`` is an aggregate over the table's columns."""

    name: str
    label: str
    description: str
    sql: str
    format: Format = "integer"


class Join(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table that a row of this one belongs to by the ``columns`` that both have."""

    table: str
    columns: tuple[str, ...]
    kind: Literal["many_to_one", "one_to_one"]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view or table of the dataset, as it may be queried.

    Attributes:
        name: in the model.
        source: the table function that takes the dates, or the table.
        dates: "arguments" of the table function, else the table's partitioning column, or the
            expression that is the date of a row of a small view.
        cumulative: whether it says how things stood at the end of the last date, from all dates
            before.
        description: what a row is.
        grain: the columns that identify a row.
        where: a condition that every query has; empty is none.
        joins: what it may be joined with.
        never_join: tables that are compared with this one and not joined, and why.
    """

    name: str
    source: str
    dates: str
    description: str
    grain: tuple[str, ...]
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    where: str = ""
    cumulative: bool = False
    joins: tuple[Join, ...] = ()
    never_join: Mapping[str, str] = {}

    def dimension(self, name: str) -> Dimension | None:
        """The dimension of this name."""
        return next((each for each in self.dimensions if each.name == name), None)

    def measure(self, name: str) -> Measure:
        """The measure of this name."""
        return next(each for each in self.measures if each.name == name)


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: the tables of an event family, or those of all families."""

    tables: tuple[Table, ...]


@functools.cache
def models() -> Mapping[str, Model]:
    """The models by file name: one of each event family that has one, and the shared ones."""
    folder = resources.files("dashboard.semantic")
    return {
        name: msgspec.yaml.decode(file.read_bytes(), type=Model)
        for name in (*FAMILIES, *SHARED)
        if (file := folder / f"{name}.yaml").is_file()
    }


@functools.cache
def tables() -> Mapping[str, Table]:
    """The tables of all models by name."""
    return {table.name: table for model in models().values() for table in model.tables}
