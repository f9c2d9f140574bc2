"""Plans the changes: compares the wanted warehouse with the present one.

Pure functions: nothing here calls BigQuery. Nothing that could lose data is ever planned.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from google.cloud import bigquery

from ddl import files, plan_fields
from ddl.actions import (
    Action,
    CreateDataset,
    CreateTable,
    DescribeColumns,
    LoadRows,
    RunSql,
    UpdateTable,
)
from ddl.plan_fields import DestructiveChangeError as DestructiveChangeError
from ddl.render.sql import column_name
from ddl.statements import Query
from ddl.table_file import DAY_MS
from gcp.dataset import Dataset
from schemas.families import FAMILIES
from schemas.lateness import SettingsRow
from schemas.tables import DEAD_LETTERS, LATENESS_SETTINGS

# Their partition is not the time of anything that grows old.
_NEVER_EXPIRE = {family.table for family in FAMILIES.values() if family.event_time is None}


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of ``apply`` that the files do not decide.

    Attributes:
        location: BigQuery location of the dataset; None for BigQuery's default.
        partition_expiration_days: age at which partitions of the tables are deleted; None
            takes what a table's file declares, or else leaves it as it is.
        dead_letter_expiration_days: the same for dead_letters alone.
        labels: set on the tables, in addition to those that they have and their files declare.
        policy_tags: BigQuery policy tags by the path of a column, in every table that has it; a
            column that is not named keeps the tag that it has.
        lateness_settings: the new rows of that table; None leaves it as it is.
        operational_views: whether to create the views over INFORMATION_SCHEMA.
        older_dataset: whose tables the views in ``history`` read, too; None leaves them as they
            are.
    """

    location: str | None = None
    partition_expiration_days: int | None = None
    dead_letter_expiration_days: int | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    policy_tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    lateness_settings: Sequence[SettingsRow] | None = None
    operational_views: bool = False
    older_dataset: Dataset | None = None

    def expiration_days(self, table: str) -> int | None:
        """The age for the partitions of a table; None if the options do not set one.

        Stored tables outlive the events that they were made from.
        """
        if table in files.find("stored"):
            return None
        if table == DEAD_LETTERS and self.dead_letter_expiration_days is not None:
            return self.dead_letter_expiration_days
        return None if table in _NEVER_EXPIRE else self.partition_expiration_days


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
    changed = [
        key
        for key, differs in {
            "schema": plan_fields.details(wanted.schema) != plan_fields.details(present.schema),
            "description": wanted.description != present.description,
            "labels": wanted.labels != present.labels,
            "time_partitioning": _expiration(wanted) != _expiration(present),
        }.items()
        if differs
    ]
    additions = _plan_columns(wanted, present)
    yield from additions
    if any(isinstance(action, UpdateTable) for action in additions):
        changed.remove("schema")
    if changed:
        yield UpdateTable(f"update {', '.join(changed)} of table {name}", wanted, changed)


def _plan_columns(wanted: bigquery.Table, present: bigquery.Table) -> Sequence[Action]:
    """Adds columns, and fields to records, which ALTER TABLE cannot do: only a whole new schema."""
    added = dict(plan_fields.added(wanted.schema, present.schema))
    names = {
        path: f"{wanted.table_id}.{path} {plan_fields.type_name(field)}"
        for path, field in added.items()
    }
    if any(
        "." in path or field.fields or field.mode != "NULLABLE" for path, field in added.items()
    ):
        return [UpdateTable(f"add column {', '.join(names.values())}", wanted, ["schema"])]
    return [
        RunSql(
            f"add column {names[path]}",
            f"ALTER TABLE `{wanted.project}.{wanted.dataset_id}.{wanted.table_id}` "
            f"ADD COLUMN IF NOT EXISTS {column_name(path)} {field.field_type}",
        )
        for path, field in added.items()
    ]


def _with_options(
    declared: bigquery.Table, present: bigquery.Table | None, options: Options
) -> bigquery.Table:
    """A copy of ``declared`` with the options; what neither sets is taken from ``present``."""
    table = bigquery.Table.from_api_repr(declared.to_api_repr())
    labels = {**(present.labels if present else {}), **declared.labels, **options.labels}
    if labels:
        table.labels = labels
    if declared.time_partitioning:
        days = options.expiration_days(table.table_id)
        kept = _expiration(declared) or (_expiration(present) if present else None)
        table.time_partitioning = bigquery.TimePartitioning(
            field=declared.time_partitioning.field, expiration_ms=days * DAY_MS if days else kept
        )
    columns = present.schema if present else ()
    table.schema = plan_fields.merged(table.schema, columns, options.policy_tags)
    return table


def _refuse_destructive(wanted: bigquery.Table, present: bigquery.Table) -> None:
    """Compares a table with what it should become.

    Raises:
        DestructiveChangeError: a column would lose data, partitioning or clustering would change,
            or the expiration be shortened.
    """
    name = wanted.table_id
    if present.table_type != "TABLE":
        raise DestructiveChangeError(f"{name} exists and is a {present.table_type}, not a table")
    plan_fields.refuse_destructive(wanted.schema, present.schema, f"{name}.")
    if _partition(wanted) != _partition(present):
        raise DestructiveChangeError(f"the partitioning of table {name} would change")
    if wanted.clustering_fields != present.clustering_fields:
        raise DestructiveChangeError(f"the clustering of table {name} would change")
    before, after = _expiration(present), _expiration(wanted)
    if after is not None and (before is None or after < before):
        raise DestructiveChangeError(
            f"the partition expiration of table {name} would be shortened from "
            f"{_days(before)} to {_days(after)}"
        )


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
        and any(plan_fields.added(table.schema, present.tables[table.table_id].schema))
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


def _partition(table: bigquery.Table) -> tuple[str, str] | None:
    partitioning = table.time_partitioning
    return None if partitioning is None else (partitioning.type_, partitioning.field)


def _expiration(table: bigquery.Table) -> int | None:
    """Age in milliseconds at which partitions are deleted; None for never."""
    partitioning = table.time_partitioning
    return None if partitioning is None else partitioning.expiration_ms


def _days(expiration_ms: int | None) -> str:
    return "never" if expiration_ms is None else f"{expiration_ms / DAY_MS:g} days"
