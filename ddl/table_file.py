"""Reads the table that a CREATE TABLE statement declares, as far as planning needs it."""

import re
from collections.abc import Iterable, Mapping

import sqlglot
from google.cloud import bigquery
from sqlglot import exp

_RANGE = re.compile(r"RANGE_BUCKET\((\w+), GENERATE_ARRAY\((\d+), (\d+), (\d+)\)\)")

DAY_MS = 24 * 60 * 60 * 1000


def declared(table_id: str, sql: str) -> bigquery.Table:
    """The table: schema, partitioning with expiration, clustering, description and labels."""
    create = sqlglot.parse_one(sql, dialect="bigquery")
    properties = create.args["properties"]
    options = _options(properties.expressions)
    table = bigquery.Table(table_id, schema=[_field(column) for column in create.this.expressions])
    table.description = options["description"].name
    if labels := options.get("labels"):
        pairs = (pair.expressions for pair in labels.expressions)
        table.labels = {key.name: value.name for key, value in pairs}
    partition = properties.find(exp.PartitionedByProperty)
    if buckets := _RANGE.search(sql):
        field, *bounds = buckets.groups()
        start, end, interval = map(int, bounds)
        table.range_partitioning = bigquery.RangePartitioning(
            field=field, range_=bigquery.PartitionRange(start, end, interval)
        )
    elif partition:
        days = options.get("partition_expiration_days")
        table.time_partitioning = bigquery.TimePartitioning(
            field=partition.this.name, expiration_ms=int(days.name) * DAY_MS if days else None
        )
    if cluster := properties.find(exp.ClusterProperty):
        table.clustering_fields = [column.name for column in cluster.expressions]
    return table


def description(column: exp.ColumnDef) -> str | None:
    """The description in a column's OPTIONS."""
    for kind in _constraints(column):
        if isinstance(kind, exp.Properties):
            return str(_options(kind.expressions)["description"].name)
    return None


def _constraints(column: exp.ColumnDef) -> list[exp.Expression | None]:
    # Compiled, sqlglot's own property for the kind raises at OPTIONS.
    return [constraint.args.get("kind") for constraint in column.constraints]


def _options(properties: Iterable[exp.Expression]) -> Mapping[str, exp.Expression]:
    return {
        option.name: option.args["value"] for option in properties if type(option) is exp.Property
    }


def _field(column: exp.ColumnDef) -> bigquery.SchemaField:
    kind = column.args["kind"]
    mode, text = "NULLABLE", description(column)
    if text is None:
        raise ValueError(f"the column {column.name} has no description")
    if any(isinstance(kind, exp.NotNullColumnConstraint) for kind in _constraints(column)):
        mode = "REQUIRED"
    if kind.is_type(exp.DataType.Type.ARRAY):
        (kind,), mode = kind.expressions, "REPEATED"
    is_record = kind.is_type(exp.DataType.Type.STRUCT)
    return bigquery.SchemaField(
        column.name,
        "RECORD" if is_record else kind.sql(dialect="bigquery"),
        mode=mode,
        description=text,
        fields=[_field(field) for field in kind.expressions] if is_record else (),
    )
