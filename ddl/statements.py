"""The SQL files: filled in with project and dataset, and read as far as planning needs."""

import dataclasses
import re
from typing import Literal

import sqlglot
from google.cloud import bigquery
from sqlglot import exp

from gcp.dataset import Dataset
from schemas.families import FAMILIES

TABLES = (
    *(family.table for family in FAMILIES.values()),
    "dead_letters",
    "lateness_settings",
)

# Each file reads only what the files before it define.
VIEWS = (
    "events",
    "event_conflicts",
    "session_events",
    "session_summary",
    "question_summary",
    "test_summary",
    "session_completions_by_hour",
    "session_starts_by_hour",
    "wrong_answers_by_question",
)

# In the order in which they are told: what must not be first.
CHECKS = (
    "grain",
    "nulls",
    "ranges",
    "orphan_answers",
    "sessions_without_start",
    "clock_skew",
    "far_apart",
    "client_verdict",
    "lateness_changed",
)

_STATEMENT = re.compile(
    r"CREATE OR REPLACE (?P<kind>VIEW|TABLE FUNCTION) `[^`]*\.(?P<name>\w+)`.*?\bAS\n(?P<body>.*)",
    re.DOTALL,
)

Kind = Literal["VIEW", "TABLE FUNCTION"]


@dataclasses.dataclass(frozen=True)
class Query:
    """A view or a table function.

    Attributes:
        sql: the whole statement.
        body: the query behind AS, which is what BigQuery reports back.
    """

    kind: Kind
    name: str
    sql: str
    body: str


def render(dataset: Dataset, path: str) -> str:
    """The text of ``ddl/<path>`` for this dataset."""
    return dataset.statement("ddl", path)


def table(dataset: Dataset, name: str) -> bigquery.Table:
    """The table that ``tables/<name>.sql`` declares: schema, partitioning, clustering."""
    create = sqlglot.parse_one(render(dataset, f"tables/{name}.sql"), dialect="bigquery")
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
    """Every table function and view, each after those that it reads."""
    return [
        _query(statement.strip())
        for name in VIEWS
        for statement in render(dataset, f"views/{name}.sql").split(";\n")
        if statement.strip()
    ]


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
    return Query(kind, match["name"], sql, match["body"])
