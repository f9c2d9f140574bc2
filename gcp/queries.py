"""Calls of commands to BigQuery: somebody waits, so that they give up sooner than the library."""

from collections.abc import Sequence
from typing import Any

from google.cloud import bigquery

CALL: dict[str, Any] = {"retry": bigquery.DEFAULT_RETRY.with_timeout(30)}
"""Arguments of a call; the library retries for ten minutes by default."""


def start_query(
    client: bigquery.Client,
    sql: str,
    parameters: Sequence[Any] = (),
    *,
    timeout: float | None = None,
    dry_run: bool = False,
) -> bigquery.QueryJob:
    """Starts a query, whose job is not repeated if it fails.

    Args:
        client: for BigQuery.
        sql: the statement.
        parameters: query parameters of ``google.cloud.bigquery``.
        timeout: seconds for the request; without one it waits for an answer.
        dry_run: only check it, and estimate what it reads.

    Raises:
        gcp.errors.SERVICE_ERRORS: BigQuery rejects it, or does not answer.
    """
    config = bigquery.QueryJobConfig(query_parameters=parameters, dry_run=dry_run)
    return client.query(sql, job_config=config, job_retry=None, timeout=timeout, **CALL)


def rows(
    client: bigquery.Client, sql: str, parameters: Sequence[Any] = ()
) -> bigquery.table.RowIterator:
    """The rows of a query; raises ``gcp.errors.SERVICE_ERRORS``."""
    return start_query(client, sql, parameters).result(**CALL)
