"""The SQL files: rendered with project and dataset, and parsed as far as planning needs."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import sqlglot
from google.cloud import bigquery
from sqlglot import exp

from ddl import files, stored, table_file
from gcp.dataset import Dataset
from schemas.contract import walk
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily

Families = Sequence[EventFamily]
DEFAULT: Families = (DEFAULT_FAMILY,)

_STATEMENT = re.compile(
    r"CREATE OR REPLACE (?P<kind>VIEW|TABLE FUNCTION) `[^`]*\.(?P<name>\w+)`"
    r"(?P<columns> \(\n.*?\n\)(?=\nOPTIONS))?.*?\bAS\n(?P<body>.*)",
    re.DOTALL,
)
_NAME = re.compile(r"`[^`]*(?<!INFORMATION_SCHEMA)\.(\w+)`")
_DEFINED = re.compile(r"CREATE OR REPLACE (?:VIEW|TABLE FUNCTION) `[^`]*\.(\w+)`")

Kind = Literal["VIEW", "TABLE FUNCTION"]


class FamilyMissingError(ValueError):
    """A view reads what belongs to a family that was not asked for."""


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


def render(dataset: Dataset, kind: files.Kind, name: str, **variables: str) -> str:
    """The text of the file of this name for this dataset.

    ``${contract_names}`` in a family's file: the paths of its contract's fields, as SQL strings.
    """
    path = files.find(kind)[name]
    family = files.family_of(path)
    names = [path for path, _ in family.contract.walk()] if family else []
    contract_names = ", ".join(f"'{name}'" for name in names)
    return dataset.statement("ddl", path, contract_names=contract_names, **variables)


def table(dataset: Dataset, name: str) -> bigquery.Table:
    """The table that the file of this name declares."""
    return table_file.declared(dataset.table(name), render(dataset, "tables", name))


def tables(dataset: Dataset, families: Families = DEFAULT) -> list[bigquery.Table]:
    """The tables of these families, and the shared ones."""
    return [
        *(table(dataset, name) for name in files.find("tables", families)),
        *(kept.declared for kept in stored.stored_tables(dataset, families)),
    ]


def columns(families: Families = DEFAULT) -> Mapping[str, bigquery.SchemaField]:
    """The columns of these tables, and the fields of records, by their paths."""
    anywhere = Dataset("project", "dataset")
    return {
        path: field
        for declared in tables(anywhere, families)
        for path, field in walk(declared.schema)
    }


def queries(
    dataset: Dataset, families: Families = DEFAULT, older_dataset: Dataset | None = None
) -> list[Query]:
    """Every table function and view of these families, each after those that it reads.

    With an older dataset, those in ``history``, too: ``${older_dataset}`` in their files.

    Raises:
        FamilyMissingError: one reads what belongs to another family.
        ValueError: one reads what no file defines, or they read each other in a circle.
    """
    kinds: tuple[files.Kind, ...] = ("views", "history") if older_dataset else ("views",)
    found = (
        query
        for kind in kinds
        for query in _queries(dataset, kind, families, older_dataset=str(older_dataset))
    )
    return in_order([*found, *_live(dataset, families)], families)


def _live(dataset: Dataset, families: Families) -> Iterator[Query]:
    """The views of the stored tables, and their functions."""
    kept = stored.stored_tables(dataset, families)
    undated = {table.name: f"`{dataset.table(table.live)}`" for table in kept}
    names = {name for table in kept for name in table.reads}
    dates = f"(DATE '{EARLIEST_DATE}', DATE '{LATEST_DATE}')"
    for table in kept:
        view, function = dataset.table(table.live), dataset.table(f"{table.live}_between")
        body = (
            table.select(dataset, undated)
            if not table.has_date
            else (f"SELECT *\nFROM `{function}`{dates}")
        )
        described = {
            field.name: field.description
            for field in table.declared.schema
            if field.name in table.columns
        }
        text = f"What {table.name} should hold, from the events."
        head = f'CREATE OR REPLACE VIEW `{view}`\nOPTIONS (description = "{text}") AS\n'
        reads = frozenset(_NAME.findall(body))
        yield Query("VIEW", table.live, head + body, body, reads, described)
        if table.has_date:
            dated = {
                name: f"`{dataset.table(f'{name}_live' if name in undated else name)}_between`"
                "(first_date, last_date)"
                for name in names
            }
            body = table.select(dataset, dated)
            head = f"CREATE OR REPLACE TABLE FUNCTION `{function}`"
            sql = f"{head}(first_date DATE, last_date DATE) AS\n{body}"
            reads = frozenset(_NAME.findall(body))
            yield Query("TABLE FUNCTION", f"{table.live}_between", sql, body, reads)


def operations(dataset: Dataset, location: str, families: Families = DEFAULT) -> list[Query]:
    """The views over INFORMATION_SCHEMA, with rows for the tables of these families.

    ``${tables}`` in their files: STRUCTs of event_family (null for a shared one) and table_name.
    """
    rows = []
    for name, path in files.find("tables", families).items():
        family = files.family_of(path)
        owner = f"'{family.name}'" if family else "CAST(NULL AS STRING)"
        rows.append(f"STRUCT({owner} AS event_family, '{name}' AS table_name)")
    variables = {"tables": ", ".join(rows), "region": f"region-{location.lower()}"}
    return [
        _query(render(dataset, "operations", name, **variables).rstrip(";\n"), {})
        for name in files.find("operations")
    ]


def in_order(found: Iterable[Query], families: Families = DEFAULT) -> list[Query]:
    """The same queries, each after those that it reads; raises as ``queries`` does."""
    by_name = {query.name: query for query in found}
    known = {*by_name, *files.find("tables", families), *files.find("stored", families)}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for query in by_name.values():
        if unknown := query.reads - known:
            raise _unknown(query.name, min(unknown))
        sorter.add(query.name, *sorted(query.reads & by_name.keys()))
    try:
        return [by_name[name] for name in sorter.static_order()]
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ValueError(f"the views read each other in a circle: {circle}") from None


def _unknown(reader: str, name: str) -> ValueError:
    for owner, path in _definitions():
        family = files.family_of(path)
        if owner == name and family:
            return FamilyMissingError(f"{reader} reads {name}: add the event family {family.name}")
    return ValueError(f"{reader} reads {name}, which no SQL file defines")


def _definitions() -> Iterator[tuple[str, str]]:
    """The name of every table, function and view, and the path of its file."""
    yield from files.find("tables").items()
    for view, path in files.find("views").items():
        for name in _DEFINED.findall(render(Dataset("project", "dataset"), "views", view)):
            yield name, path


def _queries(
    dataset: Dataset, kind: files.Kind, families: Families, **variables: str
) -> Iterator[Query]:
    described: dict[str, Mapping[str, str]] = {}
    for name, path in files.find(kind, families).items():
        owner = files.family_of(path)
        if owner and owner.name not in described:
            fields = table(dataset, owner.table).schema
            described[owner.name] = {field.name: field.description for field in fields}
        for statement in render(dataset, kind, name, **variables).split(";\n"):
            if statement.strip():
                yield _query(statement.strip(), described[owner.name] if owner else {})


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
            is_described = isinstance(column, exp.ColumnDef)
            own = table_file.description(column) if is_described else None
            descriptions[column.name] = own or fact_columns[column.name]
    reads = frozenset(_NAME.findall(match["body"]))
    return Query(kind, match["name"], statement, match["body"], reads, descriptions)
