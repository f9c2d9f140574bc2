"""Applies the SQL files to a dataset: look, plan, do."""

from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from ddl import statements
from ddl.plan import (
    Action,
    CreateDataset,
    CreateTable,
    Options,
    Present,
    RunSql,
    UpdateTable,
    Wanted,
    plan,
)
from schemas.warehouse import Dataset

# Seconds. The library retries for ten minutes unless told otherwise; here a person waits.
_CALL: dict[str, Any] = {"retry": bigquery.DEFAULT_RETRY.with_timeout(5), "timeout": 30}


def apply(
    client: bigquery.Client, dataset: Dataset, options: Options | None = None
) -> list[Action]:
    """Creates or updates the tables, table functions and views of ``dataset``.

    Safe to run again: what is as it should be stays untouched.

    Returns:
        What was done, in order.

    Raises:
        DestructiveChangeError: nothing was changed, since something could be lost.
        google.api_core.exceptions.GoogleAPIError: BigQuery refused, or did not answer.
    """
    actions = prepare(client, dataset, options or Options())
    for action in actions:
        perform(client, action)
    return actions


def prepare(client: bigquery.Client, dataset: Dataset, options: Options) -> list[Action]:
    """What ``apply`` would do; reads only. Raises as ``apply`` does."""
    wanted = Wanted(
        dataset,
        [statements.table(dataset, name) for name in statements.TABLES],
        statements.queries(dataset),
    )
    return plan(wanted, _look(client, wanted), options)


def _look(client: bigquery.Client, wanted: Wanted) -> Present:
    """Asks the server for everything that ``wanted`` names."""
    dataset = _found(client.get_dataset, str(wanted.dataset))
    if dataset is None:
        return Present(None, {}, {})
    tables = {
        table.table_id: present
        for table in wanted.tables
        if (present := _found(client.get_table, table.reference))
    }
    bodies = {}
    for query in wanted.queries:
        get, body = {
            "VIEW": (client.get_table, "view_query"),
            "TABLE FUNCTION": (client.get_routine, "body"),
        }[query.kind]
        if present := _found(get, wanted.dataset.table(query.name)):
            bodies[query.name] = getattr(present, body)
    return Present(dataset, tables, bodies)


def perform(client: bigquery.Client, action: Action) -> None:
    """Carries out one action."""
    match action:
        case CreateDataset():
            client.create_dataset(action.dataset, exists_ok=True, **_CALL)
        case CreateTable():
            client.create_table(action.table, exists_ok=True, **_CALL)
        case UpdateTable():
            client.update_table(action.table, list(action.properties), **_CALL)
        case RunSql():
            client.query(action.sql, job_retry=None, **_CALL).result(
                retry=_CALL["retry"], job_retry=None
            )


def _found(get: Any, name: Any) -> Any:
    try:
        return get(name, **_CALL)
    except NotFound:
        return None
