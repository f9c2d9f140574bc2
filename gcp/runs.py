"""The log of runs: the append-only table etl_metadata, a row when a run starts and one at its end.

The view etl_job_status has the latest state of each run.
"""

import dataclasses
import datetime as dt
import enum
import json
import uuid
from collections.abc import Mapping
from typing import Any

from google.cloud import bigquery

from gcp import queries
from gcp.dataset import Dataset

ETL_METADATA = "etl_metadata"
ETL_JOB_STATUS = "etl_job_status"
_TIMEOUT_SECONDS = 60.0


class Status(enum.StrEnum):
    """The state of a run."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One run; the columns of etl_metadata explain the fields."""

    pipeline_name: str
    env: str | None = None
    window_start: dt.datetime | None = None
    window_end: dt.datetime | None = None
    run_id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    started_at: dt.datetime = dataclasses.field(default_factory=lambda: dt.datetime.now(dt.UTC))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did; the columns of etl_metadata explain the fields."""

    rows_read: int | None = None
    rows_written: int | None = None
    records_failed: int | None = None
    bytes_processed: int | None = None
    retry_count: int | None = None
    error_message: str | None = None
    details: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class RunLog:
    """The log of runs of a dataset. Its functions raise ``gcp.errors.SERVICE_ERRORS``."""

    client: bigquery.Client
    dataset: Dataset

    def started(self, run: Run) -> None:
        """Adds the row of a run that starts."""
        self._add(run, Status.RUNNING, None, Outcome())

    def ended(self, run: Run, status: Status, outcome: Outcome) -> None:
        """Adds the row of a run that ends now."""
        self._add(run, status, dt.datetime.now(dt.UTC), outcome)

    def last_details(self, pipeline_name: str, env: str | None) -> Mapping[str, Any] | None:
        """The details of the run that succeeded and started last, or None if there is none."""
        sql = (
            f"SELECT TO_JSON_STRING(details) AS details "  # noqa: S608 - a validated name
            f"FROM `{self.dataset.table(ETL_METADATA)}` "
            "WHERE pipeline_name = @pipeline_name AND IFNULL(env, '') = @env AND status = @status "
            "ORDER BY started_at DESC LIMIT 1"
        )
        given = [
            bigquery.ScalarQueryParameter("pipeline_name", "STRING", pipeline_name),
            bigquery.ScalarQueryParameter("env", "STRING", env or ""),
            bigquery.ScalarQueryParameter("status", "STRING", Status.SUCCEEDED),
        ]
        for row in self._rows(sql, given):
            details: Mapping[str, Any] | None = json.loads(row["details"] or "null")
            return details
        return None

    def environments(self, pipeline_name: str) -> set[str | None]:
        """The environments with a run that succeeded."""
        sql = (
            f"SELECT DISTINCT env FROM `{self.dataset.table(ETL_METADATA)}` "  # noqa: S608
            "WHERE pipeline_name = @pipeline_name AND status = @status"
        )
        given = [
            bigquery.ScalarQueryParameter("pipeline_name", "STRING", pipeline_name),
            bigquery.ScalarQueryParameter("status", "STRING", Status.SUCCEEDED),
        ]
        return {row["env"] for row in self._rows(sql, given)}

    def _add(
        self, run: Run, status: Status, finished_at: dt.datetime | None, outcome: Outcome
    ) -> None:
        values = dataclasses.asdict(run) | dataclasses.asdict(outcome)
        values |= {"status": status, "finished_at": finished_at}
        values["details"] = None if outcome.details is None else json.dumps(values["details"])
        marks = [f"PARSE_JSON(@{name})" if name == "details" else f"@{name}" for name in values]
        self._rows(
            f"INSERT INTO `{self.dataset.table(ETL_METADATA)}` "  # noqa: S608 - our own names
            f"({', '.join(values)}) VALUES ({', '.join(marks)})",
            [
                bigquery.ScalarQueryParameter(name, _TYPES.get(name, "STRING"), value)
                for name, value in values.items()
            ],
        )

    def _rows(
        self, sql: str, parameters: list[bigquery.ScalarQueryParameter]
    ) -> bigquery.table.RowIterator:
        job = queries.start_query(self.client, sql, parameters, timeout=_TIMEOUT_SECONDS)
        return job.result(timeout=_TIMEOUT_SECONDS, **queries.CALL)


_TYPES = {
    "window_start": "TIMESTAMP",
    "window_end": "TIMESTAMP",
    "started_at": "TIMESTAMP",
    "finished_at": "TIMESTAMP",
    "rows_read": "INT64",
    "rows_written": "INT64",
    "records_failed": "INT64",
    "bytes_processed": "INT64",
    "retry_count": "INT64",
}
COLUMNS = (
    *(field.name for field in dataclasses.fields(Run)),
    *(field.name for field in dataclasses.fields(Outcome)),
    "status",
    "finished_at",
)
"""The columns that rows fill."""
