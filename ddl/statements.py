"""The SQL files: filled in with project and dataset, and read as far as planning needs."""

import dataclasses
import re
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import sqlglot
from google.cloud import bigquery
from sqlglot import exp

from ddl import files
from gcp.dataset import Dataset

TABLES = tuple(files.find("tables"))
CHECKS = tuple(sorted(files.find("checks")))

_STATEMENT = re.compile(
    r"CREATE OR REPLACE (?P<kind>VIEW|TABLE FUNCTION) `[^`]*\.(?P<name>\w+)`.*?\bAS\n(?P<body>.*)",
    re.DOTALL,
)
_NAME = re.compile(r"`[^`]*\.(\w+)`")

Kind = Literal["VIEW", "TABLE FUNCTION"]


@dataclasses.dataclass(frozen=True)
class Query:
    """A view or a table function.

    Attributes:
        sql: the whole statement.
        body: the query behind AS, which is what BigQuery reports back.
        reads: the tables, table functions and views that the body reads.
    """

    kind: Kind
    name: str
    sql: str
    body: str
    reads: frozenset[str]


def render(dataset: Dataset, kind: files.Kind, name: str) -> str:
    """The text of the file of this name for this dataset."""
    return dataset.statement("ddl", files.find(kind)[name])


def table(dataset: Dataset, name: str) -> bigquery.Table:
    """The table that the file of this name declares: schema, partitioning, clustering."""
    create = sqlglot.parse_one(render(dataset, "tables", name), dialect="bigquery")
    properties = create.args["properties"]
    declared = bigquery.Table(
        dataset.table(name), schema=[_column(column) for column in create.this.expressions]
    )
    declared.description = _description(properties)
    if partition := properties.find(exp.PartitionedByProperty):
        declared.time_partitioning = bigquery.TimePartitioning(field=partition.this.name)
    if cluster := properties.find(exp.ClusterProperty):
        declared.clustering_fields = [column.name for column in cluster.expressions]
    return declared


def columns() -> set[str]:
    """The names of the columns of all tables."""
    anywhere = Dataset("project", "dataset")
    return {field.name for name in TABLES for field in table(anywhere, name).schema}


def queries(dataset: Dataset) -> list[Query]:
    """Every table function and view, each after those that it reads.

    Raises:
        ValueError: one reads what no file defines, or they read each other in a circle.
    """
    return in_order(
        _query(statement.strip())
        for name in files.find("views")
        for statement in render(dataset, "views", name).split(";\n")
        if statement.strip()
    )


def in_order(found: Iterable[Query]) -> list[Query]:
    """The same queries, each after those that it reads; raises as ``queries`` does."""
    by_name = {query.name: query for query in found}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for query in by_name.values():
        if unknown := query.reads - by_name.keys() - set(TABLES):
            raise ValueError(f"{query.name} reads {min(unknown)}, which no SQL file defines")
        sorter.add(query.name, *sorted(query.reads & by_name.keys()))
    try:
        return [by_name[name] for name in sorter.static_order()]
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ValueError(f"the views read each other in a circle: {circle}") from None


def _column(column: exp.ColumnDef) -> bigquery.SchemaField:
    required = column.find(exp.NotNullColumnConstraint) is not None
    return bigquery.SchemaField(
        column.name,
        column.args["kind"].sql(dialect="bigquery"),
        mode="REQUIRED" if required else "NULLABLE",
        description=_description(column),
    )


def _description(options: exp.Expression) -> str:
    return next(
        str(option.args["value"].name)
        for option in options.find_all(exp.Property)
        if option.name == "description"
    )


def _query(sql: str) -> Query:
    match = _STATEMENT.search(sql)
    if match is None:
        raise ValueError(f"not a view or a table function: {sql[:80]}")
    kind: Kind = "VIEW" if match["kind"] == "VIEW" else "TABLE FUNCTION"
    return Query(kind, match["name"], sql, match["body"], frozenset(_NAME.findall(match["body"])))
