"""The schema of a table as BigQuery reports it, and the check of rows against it."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from google.api_core.exceptions import NotFound

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from gcp.retry import gateways_answer_as_outage
from transforms.row_checker import Checked, RowChecker
from transforms.rows import Row
from transforms.table_column import MissingColumnError

# Rejected rows cause the table to be read again, at most once in this many seconds.
READ_AGAIN_SECONDS = 10.0
_TIMEOUT_SECONDS = 60.0
_NO_RETRY: Any = None  # the callers retry


class TableSchema:
    """Reads the table on first use, and again when it may have changed.

    All methods raise GoogleAPICallError if the table cannot be read, does not exist, or lacks a
    column that rows fill. No row is at fault then: the work waits.
    """

    def __init__(self, dataset: Dataset, table: str, columns: Sequence[str]) -> None:
        self._dataset = dataset
        self._name = table
        self._columns = columns
        self._table: RowChecker | None = None
        self._read_at = 0.0

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_table": None}

    def read(self) -> RowChecker:
        """The checker for the table, which is read if needed."""
        table = self._table
        if table is None:
            self._read_at = time.monotonic()
            with (
                contextlib.closing(bigquery_client(self._dataset.project)) as client,
                gateways_answer_as_outage(),
            ):
                described = client.get_table(
                    self._dataset.table(self._name), retry=_NO_RETRY, timeout=_TIMEOUT_SECONDS
                )
            table = self._table = RowChecker(described, self._columns)
        return table

    def forget(self) -> None:
        """Makes the next use read the table again."""
        self._table = None

    def check(self, rows: Sequence[Row]) -> Checked:
        """Separates the rows that the table accepts from the others.

        A column may have been relaxed or retyped since the table was read, so no row is rejected
        by a schema that is older than ``READ_AGAIN_SECONDS``.
        """
        with self._expect_columns():
            checked = self.read().check(rows, dt.datetime.now(dt.UTC))
            if checked.rejected and time.monotonic() - self._read_at >= READ_AGAIN_SECONDS:
                self.forget()
                checked = self.read().check(rows, dt.datetime.now(dt.UTC))
            return checked

    def fit(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rows that were checked, converted to the columns that the table has now."""
        with self._expect_columns():
            return self.read().fit(batch)

    @contextlib.contextmanager
    def _expect_columns(self) -> Iterator[None]:
        try:
            yield
        except MissingColumnError as error:
            self.forget()
            raise NotFound(str(error)) from None  # type: ignore[no-untyped-call]
