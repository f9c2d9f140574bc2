"""Calls of commands to BigQuery: somebody waits, so that they give up sooner than the library."""

from collections.abc import Sequence
from typing import Any

from google.cloud import bigquery

CALL: dict[str, Any] = {"retry": bigquery.DEFAULT_RETRY.with_timeout(30)}
"""Arguments of a call; the library retries for ten minutes by default."""


def start_query(
    client: bigquery.Client, sql: str, parameters: Sequence[Any] = (), **settings: Any
) -> bigquery.QueryJob:
    """Starts a query, whose job is not repeated if it fails.

    Args:
        client: for BigQuery.
        sql: the statement.
        parameters: query parameters of ``google.cloud.bigquery``.
        settings: further ones of ``QueryJobConfig``.

    Raises:
        gcp.errors.SERVICE_ERRORS: BigQuery rejects it, or does not answer.
    """
    config = bigquery.QueryJobConfig(query_parameters=parameters, **settings)
    return client.query(sql, job_config=config, job_retry=None, **CALL)


def rows(
    client: bigquery.Client, sql: str, parameters: Sequence[Any] = ()
) -> bigquery.table.RowIterator:
    """The rows of a query; raises ``gcp.errors.SERVICE_ERRORS``."""
    return start_query(client, sql, parameters).result(**CALL)
