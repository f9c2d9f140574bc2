"""Plans the changes: compares the wanted warehouse with the present one.

Pure functions: nothing here calls BigQuery. Nothing that could lose data is ever planned.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from google.cloud import bigquery

from ddl.actions import (
    Action,
    CreateDataset,
    CreateTable,
    DescribeColumns,
    LoadRows,
    RunSql,
    UpdateTable,
)
from ddl.statements import Query
from gcp.dataset import Dataset
from schemas.lateness import SettingsRow
from schemas.tables import LATENESS_SETTINGS

_DAY_MS = 24 * 60 * 60 * 1000


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of ``apply`` that the files do not decide.

    Attributes:
        location: BigQuery location of the dataset; None for BigQuery's default.
        partition_expiration_days: age at which partitions of the tables are deleted; None
            leaves it as it is.
        labels: set on the tables, in addition to those that they have.
        policy_tags: BigQuery policy tags by column, in every table that has it; a column that is
            not named keeps the tag that it has.
        lateness_settings: the new rows of that table; None leaves it as it is.
    """

    location: str | None = None
    partition_expiration_days: int | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    policy_tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    lateness_settings: Sequence[SettingsRow] | None = None


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The state that the files declare, each query after those that it reads."""

    dataset: Dataset
    tables: Sequence[bigquery.Table]
    queries: Sequence[Query]


@dataclasses.dataclass(frozen=True)
class Present:
    """The state of the server.

    Attributes:
        dataset: None if it is missing.
        tables: the tables that exist, by name.
        bodies: the body of each view and function that exists, by name; None if the server
            does not report it.
        descriptions: of the columns of each view that exists, by the view's name.
        lateness_settings: the rows of the table of that name; read only to replace them.
    """

    dataset: bigquery.Dataset | None
    tables: Mapping[str, bigquery.Table]
    bodies: Mapping[str, str | None]
    descriptions: Mapping[str, Mapping[str, str | None]] = dataclasses.field(default_factory=dict)
    lateness_settings: Sequence[SettingsRow] = ()


class DestructiveChangeError(Exception):
    """The files ask for a change that could lose data or that BigQuery cannot make in place."""


def plan(wanted: Wanted, present: Present, options: Options) -> list[Action]:
    """The actions that turn ``present`` into ``wanted``, in order; none if nothing differs.

    Raises:
        DestructiveChangeError: one of them could lose data; the message names it.
    """
    return [
        *_plan_dataset(wanted.dataset, present.dataset, options),
        *(
            action
            for table in wanted.tables
            for action in _plan_table(table, present.tables.get(table.table_id), options)
        ),
        *_plan_settings(wanted, present, options.lateness_settings),
        *_plan_queries(wanted, present),
    ]


def _plan_dataset(
    wanted: Dataset, present: bigquery.Dataset | None, options: Options
) -> Iterator[Action]:
    if present is None:
        dataset = bigquery.Dataset(str(wanted))
        if options.location:
            dataset.location = options.location
        yield CreateDataset(f"create dataset {wanted}", dataset)
    elif options.location and options.location.lower() != present.location.lower():
        raise DestructiveChangeError(
            f"{wanted} is in {present.location}: a dataset cannot move to {options.location}"
        )


def _plan_table(
    declared: bigquery.Table, present: bigquery.Table | None, options: Options
) -> Iterator[Action]:
    wanted = _with_options(declared, present, options)
    name = wanted.table_id
    if present is None:
        yield CreateTable(f"create table {name}", wanted)
        return
    _refuse_destructive(wanted, present)
    known = {field.name for field in present.schema}
    for field in wanted.schema:
        if field.name not in known:
            yield RunSql(
                f"add column {name}.{field.name} {field.field_type}",
                f"ALTER TABLE `{wanted.project}.{wanted.dataset_id}.{name}` "
                f"ADD COLUMN IF NOT EXISTS {field.name} {field.field_type}",
            )
    changed = [
        key
        for key, differs in {
            "schema": _details(wanted) != _details(present),
            "description": wanted.description != present.description,
            "labels": wanted.labels != present.labels,
            "time_partitioning": _expiration(wanted) != _expiration(present),
        }.items()
        if differs
    ]
    if changed:
        yield UpdateTable(f"update {', '.join(changed)} of table {name}", wanted, changed)


def _with_options(
    declared: bigquery.Table, present: bigquery.Table | None, options: Options
) -> bigquery.Table:
    """A copy of ``declared`` with the options; what they do not set is taken from ``present``."""
    table = bigquery.Table.from_api_repr(declared.to_api_repr())
    labels = {**(present.labels if present else {}), **options.labels}
    if labels:
        table.labels = labels
    if declared.time_partitioning:
        days = options.partition_expiration_days
        expiration_ms = days * _DAY_MS if days else present and _expiration(present)
        table.time_partitioning = bigquery.TimePartitioning(
            field=declared.time_partitioning.field, expiration_ms=expiration_ms
        )
    known = {field.name: field for field in present.schema} if present else {}
    # BigQuery keeps the order of the columns that it has; new ones come last.
    order = {name: place for place, name in enumerate(known)}
    table.schema = sorted(
        (_tagged(field, known.get(field.name), options.policy_tags) for field in table.schema),
        key=lambda field: order.get(field.name, len(order)),
    )
    return table


def _tagged(
    field: bigquery.SchemaField, known: bigquery.SchemaField | None, tags: Mapping[str, str]
) -> bigquery.SchemaField:
    tag = tags.get(field.name)
    kept = known.policy_tags if known else None
    policy_tags = bigquery.PolicyTagList([tag]) if tag else kept
    return bigquery.SchemaField(
        field.name, field.field_type, field.mode, None, field.description, (), policy_tags
    )


def _refuse_destructive(wanted: bigquery.Table, present: bigquery.Table) -> None:
    """Compares a table with what it should become. A column may become nullable.

    Raises:
        DestructiveChangeError: a column would be dropped, retyped or narrowed, or added as
            required; partitioning or clustering would change; or the expiration be shortened.
    """
    name = wanted.table_id
    if present.table_type != "TABLE":
        raise DestructiveChangeError(f"{name} exists and is a {present.table_type}, not a table")
    fields = {field.name: field for field in wanted.schema}
    for old in present.schema:
        if old.name not in fields:
            raise DestructiveChangeError(f"column {name}.{old.name} would be dropped")
        new = fields.pop(old.name)
        if _type(new) != _type(old):
            raise DestructiveChangeError(
                f"column {name}.{old.name} would change from {_type(old)} to {_type(new)}"
            )
        if new.mode != "NULLABLE" and old.mode != new.mode:
            raise DestructiveChangeError(
                f"column {name}.{old.name} would change from {old.mode} to {new.mode}"
            )
    for new in fields.values():
        if new.mode != "NULLABLE":
            raise DestructiveChangeError(f"new column {name}.{new.name} must be nullable")
    if _partition(wanted) != _partition(present):
        raise DestructiveChangeError(f"the partitioning of table {name} would change")
    if wanted.clustering_fields != present.clustering_fields:
        raise DestructiveChangeError(f"the clustering of table {name} would change")
    before, after = _expiration(present), _expiration(wanted)
    if after is not None and (before is None or after < before):
        raise DestructiveChangeError(f"the partition expiration of table {name} would be shortened")


def _plan_settings(
    wanted: Wanted, present: Present, rows: Sequence[SettingsRow] | None
) -> Iterator[Action]:
    if rows is None or _sorted(rows) == _sorted(present.lateness_settings):
        return
    table = next(table for table in wanted.tables if table.table_id == LATENESS_SETTINGS)
    yield LoadRows(f"load {LATENESS_SETTINGS}: {len(rows)} rows", table, rows)


def _sorted(rows: Sequence[SettingsRow]) -> list[str]:
    return sorted(map(repr, rows))


def _plan_queries(wanted: Wanted, present: Present) -> Iterator[Action]:
    """Replaces what changed, and what reads it: BigQuery keeps the columns of ``SELECT *``."""
    changed = {
        table.table_id
        for table in wanted.tables
        if table.table_id in present.tables
        and {field.name for field in table.schema}
        != {field.name for field in present.tables[table.table_id].schema}
    }
    for query in wanted.queries:
        body = present.bodies.get(query.name)
        if body is not None and body.strip() == query.body and not query.reads & changed:
            if present.descriptions.get(query.name, {}) != query.descriptions:
                summary = f"update column descriptions of view {query.name}"
                name = wanted.dataset.table(query.name)
                yield DescribeColumns(summary, name, query.descriptions)
            continue
        new = query.name not in present.bodies
        summary = f"{'create' if new else 'replace'} {query.kind.lower()} {query.name}"
        changed.add(query.name)
        if query.kind == "VIEW":
            name = wanted.dataset.table(query.name)
            yield DescribeColumns(summary, name, query.descriptions, query.sql, creates=new)
        else:
            yield RunSql(summary, query.sql, creates=new)


def _type(field: bigquery.SchemaField) -> str:
    # The server returns INTEGER for INT64; both map to the standard name.
    standard = field.to_standard_sql().type
    if standard is None or standard.type_kind is None:
        return str(field.field_type)
    return str(standard.type_kind.value)


def _details(table: bigquery.Table) -> dict[str, tuple[object, ...]]:
    return {
        field.name: (field.mode, field.description, field.policy_tags) for field in table.schema
    }


def _partition(table: bigquery.Table) -> tuple[str, str] | None:
    partitioning = table.time_partitioning
    return None if partitioning is None else (partitioning.type_, partitioning.field)


def _expiration(table: bigquery.Table) -> int | None:
    """Age in milliseconds at which partitions are deleted; None for never."""
    partitioning = table.time_partitioning
    return None if partitioning is None else partitioning.expiration_ms
