"""Reads one event: python query.py PROJECT.DATASET EVENT_ID DATE (of client_ts, UTC).

Needs google-cloud-bigquery.
"""

import datetime as dt
import os
import sys
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery


def connect(project: str) -> bigquery.Client:
    """A client for BigQuery, or for the emulator that BIGQUERY_EMULATOR_HOST names."""
    host = os.environ.get("BIGQUERY_EMULATOR_HOST")
    if not host:
        return bigquery.Client(project=project)
    url = host if "://" in host else f"http://{host}"
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return bigquery.Client(
        project=project, credentials=credentials, client_options={"api_endpoint": url}
    )


def find(client: bigquery.Client, dataset: str, event_id: str, day: dt.date) -> dict[str, Any]:
    """The event as the view ``events`` has it; empty where there is none.

    ``events_between`` is that view for some dates: BigQuery reads (and bills) the partitions of
    those dates and eight days around them, where the view reads all of history.
    """
    sql = f"SELECT * FROM `{dataset}.events_between`(@day, @day) WHERE event_id = @event_id"  # noqa: S608 - a dataset cannot be a parameter
    parameters = [
        bigquery.ScalarQueryParameter("day", "DATE", day),
        bigquery.ScalarQueryParameter("event_id", "STRING", event_id),
    ]
    job = client.query(sql, bigquery.QueryJobConfig(query_parameters=parameters))
    return {name: value for row in job.result() for name, value in row.items()}


if __name__ == "__main__":
    table_set, wanted, date = sys.argv[1:]
    with connect(table_set.rpartition(".")[0]) as connection:
        event = find(connection, table_set, wanted, dt.date.fromisoformat(date))
    for field, value in event.items():
        print(f"{field:<28}{value}")
    sys.exit(0 if event else 1)
