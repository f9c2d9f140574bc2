"""What the log of runs knows of runs over stored tables."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from gcp import queries
from gcp.dataset import Dataset
from gcp.runs import ETL_JOB_STATUS, ETL_METADATA, Outcome, Run, RunLog, Status

PIPELINE = "warehouse"
BACKFILL = "warehouse_backfill"
# A run without a job may be about to start it.
_STARTING = dt.timedelta(minutes=2)
# Seconds. The library's default is ten minutes; here a person or a schedule waits.


@dataclasses.dataclass(frozen=True)
class Success:
    """A run that succeeded.

    Attributes:
        settings: the fingerprint of the lateness settings then; None where there were none.
        rules: that of the lateness rules.
        definition: the fingerprint of what the tables were made of; None where none was kept.
        written: rows inserted, changed or deleted, by table.
    """

    run_id: str
    window_end: dt.datetime
    started_at: dt.datetime
    rows_read: int
    rows_written: int
    settings: str | None
    rules: str | None
    definition: str | None
    written: Mapping[str, int]


class Metadata:
    """The runs of one dataset. Each has a BigQuery job, whose id is the run's."""

    def __init__(self, client: bigquery.Client, dataset: Dataset) -> None:
        self._client = client
        self._dataset = dataset
        self._log = RunLog(client, dataset)

    def started(self, run: Run) -> None:
        """Logs that a run starts."""
        self._log.started(run)

    def failed(self, run: Run, retries: int, error: str) -> None:
        """Logs that a run has failed; ``error`` must hold no values of rows."""
        self._log.ended(run, Status.FAILED, Outcome(retry_count=retries, error_message=error))

    def last_success(self, pipeline: str, run_id: str | None = None) -> Success | None:
        """The success with the latest window, or that of one run."""
        rows = self._query(
            f"SELECT * FROM `{self._dataset.table(ETL_METADATA)}` "
            "WHERE pipeline_name = @pipeline AND status = 'succeeded' "
            "AND (@run_id IS NULL OR run_id = @run_id) "
            "ORDER BY window_end DESC, finished_at DESC LIMIT 1",
            pipeline=pipeline,
            run_id=run_id,
        )
        return _success(rows[0]) if rows else None

    def latest(self, number: int) -> list[dict[str, Any]]:
        """The latest state of the last runs, newest first."""
        return self._query(
            f"SELECT * FROM `{self._dataset.table(ETL_JOB_STATUS)}` "
            "WHERE STARTS_WITH(job_name, @pipeline) "
            f"ORDER BY started_at DESC, job_id LIMIT {number}",
            pipeline=PIPELINE,
        )

    def running(self) -> list[dict[str, Any]]:
        """Runs of the warehouse that are under way, in the order in which they started.

        A run whose job has ended, or that has started none for minutes, is dead.
        """
        found = self._query(
            f"SELECT * FROM `{self._dataset.table(ETL_JOB_STATUS)}` "
            "WHERE STARTS_WITH(job_name, @pipeline) AND status = 'running' "
            "ORDER BY started_at, job_id",
            pipeline=PIPELINE,
        )
        return [row for row in found if self._is_alive(row)]

    def _is_alive(self, row: dict[str, Any]) -> bool:
        """Sets ``has_job``, too."""
        try:
            state = self._client.get_job(row["job_id"], **queries.CALL).state
        except NotFound:
            row["has_job"] = False
            return bool(dt.datetime.now(dt.UTC) - row["started_at"] < _STARTING)
        row["has_job"] = True
        return bool(state != "DONE")

    def _query(self, sql: str, **parameters: str | None) -> list[dict[str, Any]]:
        given = [
            bigquery.ScalarQueryParameter(name, "STRING", value)
            for name, value in parameters.items()
        ]
        return [dict(row.items()) for row in queries.rows(self._client, sql, given)]


def _success(row: Mapping[str, Any]) -> Success:
    details = row["details"] or {}
    if isinstance(details, str):
        details = json.loads(details)
    return Success(
        run_id=row["run_id"],
        window_end=row["window_end"],
        started_at=row["started_at"],
        rows_read=row["rows_read"],
        rows_written=row["rows_written"],
        settings=details.get("settings"),
        rules=details.get("rules"),
        definition=details.get("definition"),
        written=details.get("written", {}),
    )
