"""Panels as SQL. A query without the partitions that it may read cannot be written here."""

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence

from google.cloud.bigquery import ScalarQueryParameter

from dashboard.filters import Filters
from dashboard.semantic.model import Table
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE

# Rows of an answer. A page with more is not read; the table says that it is cut.
MOST_ROWS = 1_000

Value = str | dt.date


@dataclasses.dataclass(frozen=True)
class Query:
    """SQL with its parameters, and what the page says about it.

    Attributes:
        sql: with ``@name`` for each parameter.
        parameters: name to value.
        ignored: filters that the table has no dimension for.
    """

    sql: str
    parameters: tuple[tuple[str, Value], ...]
    ignored: tuple[str, ...] = ()

    @property
    def bigquery_parameters(self) -> list[ScalarQueryParameter]:
        """The parameters as BigQuery's client takes them."""
        return [
            ScalarQueryParameter(name, "STRING" if isinstance(value, str) else "DATE", value)
            for name, value in self.parameters
        ]

    @property
    def runnable(self) -> str:
        """The same SQL with literals, to be pasted into BigQuery's console."""
        literals = {name: _literal(value) for name, value in self.parameters}
        return re.sub(r"@(\w+)", lambda match: literals[match[1]], self.sql)


def compose(
    dataset: Dataset,
    table: Table,
    dimensions: Sequence[str],
    measures: Sequence[str],
    filters: Filters,
    order: Sequence[str] = (),
) -> Query:
    """The query for measures of a table by dimensions, within the filters.

    Args:
        dataset: where the table is.
        table: of the semantic model.
        dimensions: names of its dimensions.
        measures: names of its measures.
        filters: dates, and values of dimensions; those that the table lacks are ignored.
        order: names of columns of the result, with DESC or without.
    """
    grouped = [each for each in table.dimensions if each.name in dimensions]
    grouped.sort(key=lambda each: dimensions.index(each.name))
    selected = [_column(each.expression, each.name) for each in grouped]
    selected += [_column(table.measure(name).sql, name) for name in measures]
    conditions = [table.where] if table.where else []
    first = f"DATE '{EARLIEST_DATE}'" if table.cumulative else "@first_date"
    source = f"`{dataset.table(table.source)}`"
    if table.dates == "arguments":
        source += f"({first}, @last_date)"
    else:
        conditions.insert(0, f"{table.dates} BETWEEN {first} AND @last_date")
    conditions += [f"{each.expression} IS NOT NULL" for each in grouped if each.required]
    applied, ignored = _split(table, filters.values)
    conditions += [f"{expression} = @{name}" for name, expression in applied.items()]
    clauses = ["SELECT\n  " + ",\n  ".join(selected), f"FROM {source}"]
    if conditions:
        clauses.append("WHERE " + "\n  AND ".join(conditions))
    if grouped:
        clauses.append("GROUP BY " + ", ".join(str(n) for n in range(1, len(grouped) + 1)))
    if order:
        clauses.append("ORDER BY " + ", ".join(order))
    clauses.append(f"LIMIT {MOST_ROWS + 1}")
    dates = [("last_date", filters.last_date)]
    if not table.cumulative:
        dates.insert(0, ("first_date", filters.first_date))
    values = tuple((name, filters.values[name]) for name in applied)
    return Query("\n".join(clauses), (*dates, *values), ignored)


def probe(dataset: Dataset, table: Table) -> Query:
    """A query that reads next to nothing, and fails where the table is missing."""
    nothing = Filters(EARLIEST_DATE, EARLIEST_DATE, None, {})
    return compose(dataset, table, (), [table.measures[0].name], nothing)


def _literal(value: Value) -> str:
    """A date or string in GoogleSQL, which reads JSON's escapes but not surrogate pairs."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"DATE '{value}'"


def _column(expression: str, name: str) -> str:
    return name if expression == name else f"{expression} AS {name}"


def _split(table: Table, values: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The filters that the table has a dimension for, with its SQL; the names of the others."""
    found = {name: table.dimension(name) for name in values}
    applied = {name: each.expression for name, each in found.items() if each}
    return applied, tuple(name for name, each in found.items() if each is None)
