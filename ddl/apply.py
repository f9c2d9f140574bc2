"""Applies the SQL files to a dataset: read its state, plan, execute."""

import dataclasses
import io
import json
from typing import Any

import msgspec
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from ddl import statements
from ddl.actions import (
    Action,
    CreateDataset,
    CreateTable,
    DescribeColumns,
    LoadRows,
    RunSql,
    UpdateTable,
)
from ddl.plan import Options, Present, Wanted, plan
from ddl.statements import Families
from gcp.dataset import Dataset
from schemas.lateness import SettingsRow
from schemas.tables import LATENESS_SETTINGS

# Seconds. The library's default is ten minutes; here a person waits.
_CALL: dict[str, Any] = {"retry": bigquery.DEFAULT_RETRY.with_timeout(5), "timeout": 30}

_DEFAULT_LOCATION = "US"  # BigQuery's own


def apply(
    client: bigquery.Client,
    dataset: Dataset,
    options: Options | None = None,
    families: Families = statements.DEFAULT,
) -> list[Action]:
    """Creates or updates the tables, table functions and views of these families.

    Safe to run again: what is up to date is not touched.

    Returns:
        The actions, in order.

    Raises:
        FamilyMissingError: a view reads what belongs to another family; nothing was changed.
        DestructiveChangeError: a change could lose data; nothing was changed.
        google.api_core.exceptions.GoogleAPIError: BigQuery rejected a request, or did not answer.
    """
    actions = prepare(client, dataset, options or Options(), families)
    for action in actions:
        perform(client, action)
    return actions


def prepare(
    client: bigquery.Client,
    dataset: Dataset,
    options: Options,
    families: Families = statements.DEFAULT,
) -> list[Action]:
    """The actions that ``apply`` would take; read-only. Raises as ``apply`` does."""
    tables = statements.tables(dataset, families)
    queries = statements.queries(dataset, families, options.older_dataset)
    there = _found(client.get_dataset, str(dataset))
    if options.operational_views:
        location = there.location if there else options.location or _DEFAULT_LOCATION
        queries += statements.operations(dataset, location, families)
    wanted = Wanted(dataset, tables, queries)
    present = _look(client, wanted, there)
    if options.lateness_settings is not None:
        rows = _rows(client, present.tables.get(LATENESS_SETTINGS))
        present = dataclasses.replace(present, lateness_settings=rows)
    return plan(wanted, present, options)


def _look(client: bigquery.Client, wanted: Wanted, dataset: bigquery.Dataset | None) -> Present:
    """Reads the present state of everything that ``wanted`` names."""
    if dataset is None:
        return Present(None, {}, {})
    tables = {
        table.table_id: present
        for table in wanted.tables
        if (present := _found(client.get_table, table.reference))
    }
    bodies, descriptions = {}, {}
    for query in wanted.queries:
        get, body = {
            "VIEW": (client.get_table, "view_query"),
            "TABLE FUNCTION": (client.get_routine, "body"),
        }[query.kind]
        if present := _found(get, wanted.dataset.table(query.name)):
            bodies[query.name] = getattr(present, body)
            if query.kind == "VIEW":
                descriptions[query.name] = {f.name: f.description for f in present.schema}
    return Present(dataset, tables, bodies, descriptions)


def _rows(client: bigquery.Client, table: bigquery.Table | None) -> list[SettingsRow]:
    if table is None or table.table_type != "TABLE":
        return []
    return [SettingsRow(**dict(row)) for row in client.list_rows(table, **_CALL)]


def perform(client: bigquery.Client, action: Action) -> None:
    """Executes one action."""
    match action:
        case CreateDataset():
            client.create_dataset(action.dataset, exists_ok=True, **_CALL)
        case CreateTable():
            client.create_table(action.table, exists_ok=True, **_CALL)
        case UpdateTable():
            client.update_table(action.table, list(action.properties), **_CALL)
        case RunSql():
            _run(client, action.sql)
        case DescribeColumns():
            if action.sql is not None:
                _run(client, action.sql)
            _describe(client, action)
        case LoadRows():
            lines = "".join(f"{json.dumps(msgspec.structs.asdict(row))}\n" for row in action.rows)
            client.load_table_from_file(
                io.BytesIO(lines.encode()),
                action.table.reference,
                job_config=bigquery.LoadJobConfig(
                    schema=action.table.schema,
                    source_format="NEWLINE_DELIMITED_JSON",
                    write_disposition="WRITE_TRUNCATE",
                ),
                timeout=_CALL["timeout"],
            ).result(retry=_CALL["retry"])


def _run(client: bigquery.Client, sql: str) -> None:
    job = client.query(sql, job_retry=None, **_CALL)
    job.result(retry=_CALL["retry"], job_retry=None)


def _describe(client: bigquery.Client, action: DescribeColumns) -> None:
    view = client.get_table(action.view_id, **_CALL)
    view.schema = [
        bigquery.SchemaField.from_api_repr(
            field.to_api_repr() | {"description": action.descriptions[field.name]}
        )
        for field in view.schema
    ]
    client.update_table(view, ["schema"], **_CALL)


def _found(get: Any, name: Any) -> Any:
    try:
        return get(name, **_CALL)
    except NotFound:
        return None
