"""The SQL files: rendered with project and dataset, and parsed as far as planning needs."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import sqlglot
from google.cloud import bigquery
from sqlglot import exp

from ddl import files
from gcp.dataset import Dataset
from schemas.families import FAMILIES

TABLES = tuple(files.find("tables"))
CHECKS = tuple(sorted(files.find("checks")))

_STATEMENT = re.compile(
    r"CREATE OR REPLACE (?P<kind>VIEW|TABLE FUNCTION) `[^`]*\.(?P<name>\w+)`"
    r"(?P<columns> \(\n.*?\n\)(?=\nOPTIONS))?.*?\bAS\n(?P<body>.*)",
    re.DOTALL,
)
_NAME = re.compile(r"`[^`]*\.(\w+)`")

Kind = Literal["VIEW", "TABLE FUNCTION"]


@dataclasses.dataclass(frozen=True)
class Query:
    """A view or a table function.

    Attributes:
        sql: the statement without a view's list of columns: ``apply`` sets their descriptions
            through the API, where they can be compared with those that the server has.
        body: the query behind AS, which is what BigQuery returns.
        reads: the tables, table functions and views that the body reads.
        descriptions: of a view's columns.
    """

    kind: Kind
    name: str
    sql: str
    body: str
    reads: frozenset[str]
    descriptions: Mapping[str, str] = dataclasses.field(default_factory=dict)


def render(dataset: Dataset, kind: files.Kind, name: str) -> str:
    """The text of the file of this name for this dataset.

    ``${contract_names}`` in a family's file: the names of its contract's fields, as SQL strings.
    """
    path = files.find(kind)[name]
    family = FAMILIES.get(path.partition("/")[0])
    names = family.event.__struct_fields__ if family else ()
    return dataset.statement("ddl", path, contract_names=", ".join(f"'{n}'" for n in names))


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
        _query(statement.strip(), _fact_columns(dataset, path))
        for name, path in files.find("views").items()
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


def _fact_columns(dataset: Dataset, path: str) -> Mapping[str, str]:
    """Descriptions of the columns of the fact table beside this file, by name."""
    family = FAMILIES[path.partition("/")[0]]
    return {field.name: field.description for field in table(dataset, family.table).schema}


def _query(sql: str, fact_columns: Mapping[str, str]) -> Query:
    """One statement; a view's column without a description takes that of the fact table."""
    match = _STATEMENT.search(sql)
    if match is None:
        raise ValueError(f"not a view or a table function: {sql[:80]}")
    kind: Kind = "VIEW" if match["kind"] == "VIEW" else "TABLE FUNCTION"
    columns, statement = match["columns"] or "", sql
    descriptions = {}
    if columns:
        statement = sql.replace(columns, "", 1)
        for column in sqlglot.parse_one(sql, dialect="bigquery").this.expressions:
            own = _description(column) if isinstance(column, exp.ColumnDef) else None
            descriptions[column.name] = own or fact_columns[column.name]
    reads = frozenset(_NAME.findall(match["body"]))
    return Query(kind, match["name"], statement, match["body"], reads, descriptions)
