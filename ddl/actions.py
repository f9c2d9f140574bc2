"""The actions of ``apply``; each has a one-line summary."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar

from google.cloud import bigquery

from schemas.lateness import SettingsRow


@dataclasses.dataclass(frozen=True)
class CreateDataset:
    """Creates the dataset."""

    creates: ClassVar = True
    summary: str
    dataset: bigquery.Dataset


@dataclasses.dataclass(frozen=True)
class CreateTable:
    """Creates a table with all its options at once."""

    creates: ClassVar = True
    summary: str
    table: bigquery.Table


@dataclasses.dataclass(frozen=True)
class UpdateTable:
    """Sets properties of a table that exists."""

    creates: ClassVar = False
    summary: str
    table: bigquery.Table
    properties: Sequence[str]


@dataclasses.dataclass(frozen=True)
class RunSql:
    """Runs one statement; ``creates`` says that it creates something new."""

    summary: str
    sql: str
    creates: bool = False


@dataclasses.dataclass(frozen=True)
class DescribeColumns:
    """Sets the descriptions of a view's columns by name; with ``sql`` creates the view first.

    CREATE VIEW with a list of columns could set them too, but not on bqemulator.
    """

    summary: str
    view_id: str
    descriptions: Mapping[str, str]
    sql: str | None = None
    creates: bool = False


@dataclasses.dataclass(frozen=True)
class LoadRows:
    """Replaces all rows of a table, at once or not at all."""

    creates: ClassVar = False
    summary: str
    table: bigquery.Table
    rows: Sequence[SettingsRow]


Action = CreateDataset | CreateTable | UpdateTable | RunSql | DescribeColumns | LoadRows
