"""Runs: which window to take, one at a time, and what BigQuery made of it."""

import contextlib
import datetime as dt
import functools
import os
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from ddl.stored import StoredTable, stored_tables
from gcp import queries
from gcp.clients import EMULATOR_VARIABLE
from gcp.dataset import Dataset
from gcp.errors import SERVICE_ERRORS, how_to_apply
from gcp.runs import ETL_METADATA, Run
from schemas.dates import MARGIN_DAYS
from schemas.families import DEFAULT_FAMILY
from warehouse import definition
from warehouse.errors import BusyError, RunError, reason
from warehouse.metadata import BACKFILL, PIPELINE, Metadata, Success
from warehouse.script import DateWindow, IngestWindow, Window, script

VERIFY_DAYS = 16
_BEGINNING = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_ATTEMPTS = 3
# BigQuery's text where two transactions changed one table.
_CONFLICT = "aborted due to concurrent update"


class Runner:
    """Runs over one dataset."""

    def __init__(
        self,
        client: bigquery.Client,
        dataset: Dataset,
        names: Sequence[str] = (),
        env: str | None = None,
    ) -> None:
        """Takes the stored tables to write, beside those that they read; none means all."""
        self._client = client
        self._dataset = dataset
        self._names = names
        self._env = env
        self.metadata = Metadata(client, dataset)
        self.tables = _with_read(stored_tables(dataset, [DEFAULT_FAMILY]), names)
        suffix = f": {', '.join(names)}" if names else ""
        self.pipeline, self.backfill_pipeline = PIPELINE + suffix, BACKFILL + suffix

    def next_window(self, overlap: dt.timedelta) -> IngestWindow:
        """What a scheduled run takes now: from the last success, less the overlap.

        Everything, if there was none, if a table is newer than that, or if what one is made of has
        changed.

        Raises:
            RunError: the last window lies in the future, or a table lacks a column.
            GoogleAPICallError: a table is missing.
        """
        now, newest = dt.datetime.now(dt.UTC), self._newest_table
        last = self.metadata.last_success(self.pipeline)
        if last is None or newest > last.started_at or self._definition != last.definition:
            return IngestWindow(_BEGINNING, now)
        if last.window_end > now:
            raise RunError(
                f"the last run's window ends at {last.window_end:%Y-%m-%d %H:%M:%S} UTC, which is "
                "in the future: check this machine's clock"
            )
        start = last.window_end - overlap
        return IngestWindow(start, now, last.settings, last.rules, self._arrived(start, now))

    def _arrived(self, start: dt.datetime, now: dt.datetime) -> frozenset[dt.date] | None:
        """The dates of the partitions that rows can have come to since then.

        The last days, whose rows may still be in a buffer; of the others those that BigQuery has
        changed. None, for all, on an emulator, which does not know.
        """
        if os.environ.get(EMULATOR_VARIABLE):
            return None
        recent = (now.date() - dt.timedelta(days=day) for day in range(-1, VERIFY_DAYS))
        return frozenset(recent) | changed_dates(self._client, self._dataset, start)

    def not_started(self, error: Exception) -> None:
        """Logs a run that failed before it had a window."""
        run = Run(pipeline_name=self.pipeline, env=self._env)
        with contextlib.suppress(*SERVICE_ERRORS):  # what failed may be this very service
            self.metadata.failed(run, 0, reason(error))

    def frozen_before(self) -> dt.date:
        """Sessions of earlier dates are left as they are: events of theirs have expired."""
        facts = self._client.get_table(self._dataset.table(DEFAULT_FAMILY.table), **queries.CALL)
        expiration = facts.time_partitioning and facts.time_partitioning.expiration_ms
        if not expiration:
            return dt.date.min
        kept = dt.timedelta(milliseconds=int(expiration))
        return (dt.datetime.now(dt.UTC) - kept).date() + dt.timedelta(days=MARGIN_DAYS + 1)

    def text(self, window: Window) -> str:
        """The script for a window."""
        return self._text(window, self._run(window), 0)

    def _text(self, window: Window, run: Run, retries: int) -> str:
        frozen = self.frozen_before()
        known = (run, retries, frozen, self._definition)
        return script(self._dataset, self.tables, window, *known)

    def run(self, window: Window) -> Success:
        """Brings the tables up to date for a window; a conflict with another write is retried.

        Raises:
            RunError: another run is under way, the window's events have expired, or a table lacks a
                column.
            GoogleAPICallError: BigQuery did not do it; no table has changed.
        """
        try:
            _ = self._newest_table
        except (RunError, *SERVICE_ERRORS) as error:
            self.not_started(error)
            raise
        if isinstance(window, DateWindow) and window.first < (frozen := self.frozen_before()):
            raise RunError(
                f"events of sessions before {frozen} have expired: their stored rows stay as they "
                f"are; take --start {frozen} or later"
            )
        for retries in range(_ATTEMPTS):
            try:
                return self._run_once(window, retries)
            except GoogleAPICallError as error:
                if _CONFLICT not in str(error):
                    raise
        raise BusyError("others keep changing the same tables: run it again when they have ended")

    def _run_once(self, window: Window, retries: int) -> Success:
        run = self._run(window)
        text = self._text(window, run, retries)
        self.metadata.started(run)
        if other := self._other(run):
            self.metadata.failed(run, retries, "another run was under way")
            raise BusyError(
                f"another run is under way since {other['started_at']:%H:%M:%S} UTC, job "
                f"{other['job_id']}: wait until it has ended"
            )
        try:
            job = self._client.query(text, job_id=run.run_id, job_retry=None, **queries.CALL)
            job.result(job_retry=None, **queries.CALL)
        except GoogleAPICallError as error:
            self.metadata.failed(run, retries, reason(error))
            raise
        success = self.metadata.last_success(run.pipeline_name, run.run_id)
        if success is None:
            raise RunError(f"job {run.run_id} has ended without a row in {ETL_METADATA}")
        return success

    def _other(self, run: Run) -> dict[str, Any] | None:
        """Another run under way that goes first: one with a job, or that started earlier.

        Each logs itself before it looks. Where two still miss each other, BigQuery lets one of
        two transactions that change the same tables fail.
        """
        earlier = True
        for row in self.metadata.running():
            if row["job_id"] == run.run_id:
                earlier = False
            elif earlier or row["has_job"]:
                return row
        return None

    def _run(self, window: Window) -> Run:
        return Run(
            pipeline_name=(
                self.backfill_pipeline if isinstance(window, DateWindow) else self.pipeline
            ),
            env=self._env,
            window_start=window.start,
            window_end=window.end,
            run_id=f"warehouse_{uuid.uuid4().hex}",
        )

    @functools.cached_property
    def _definition(self) -> str:
        return definition.fingerprint(self._dataset, self.tables)

    @functools.cached_property
    def _newest_table(self) -> dt.datetime:
        """When the newest of the tables was created; raises RunError if one lacks a column."""
        created: list[dt.datetime] = []
        for table in self.tables:
            found = self._client.get_table(self._dataset.table(table.name), **queries.CALL)
            names = {field.name for field in found.schema}
            for field in table.declared.schema:
                if field.name not in names:
                    raise RunError(
                        f"table {self._dataset.table(table.name)} has no column {field.name}: "
                        f"{how_to_apply(str(self._dataset), table.family.table)}"
                    )
            created.append(found.created)
        return max(created)


def changed_dates(
    client: bigquery.Client, dataset: Dataset, since: dt.datetime
) -> frozenset[dt.date]:
    """The dates whose partitions of the fact table have changed since then."""
    sql = (
        f"SELECT partition_id FROM `{dataset}.INFORMATION_SCHEMA.PARTITIONS` "
        "WHERE table_name = @facts AND last_modified_time >= @since"
    )
    parameters = [
        bigquery.ScalarQueryParameter("facts", "STRING", DEFAULT_FAMILY.table),
        bigquery.ScalarQueryParameter("since", "TIMESTAMP", since),
    ]
    found = [row["partition_id"] for row in queries.rows(client, sql, parameters)]
    # Beside dates there are __NULL__ and __UNPARTITIONED__, a buffer.
    dates = [text for text in found if text and text.isdigit()]
    return frozenset(dt.datetime.strptime(text, "%Y%m%d").date() for text in dates)


def days(first: dt.date, last: dt.date) -> list[DateWindow]:
    """A window for each day."""
    number = (last - first).days + 1
    dates = [first + dt.timedelta(days=day) for day in range(number)]
    return [DateWindow(date, date) for date in dates]


def _with_read(tables: Iterable[StoredTable], names: Sequence[str]) -> list[StoredTable]:
    """The tables of these names and those that they read, in their order; all without names."""
    found = list(tables)
    if not names:
        return found
    wanted: set[str] = set()
    for table in reversed(found):  # each stands after those that it reads
        if table.name in names or table.name in wanted:
            wanted |= {table.name, *table.reads}
    return [table for table in found if table.name in wanted]
