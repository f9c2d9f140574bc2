"""A table as BigQuery describes it, and rows held against that before they are sent."""

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
from transforms.row_checker import Checked, MissingColumnError, RowChecker
from transforms.rows import Row

# Rows that are bad have the table read again, however many they are not more often than this.
READ_AGAIN_SECONDS = 10.0
_TIMEOUT_SECONDS = 60.0
_NO_RETRY: Any = None  # the callers wait out outages


class TableSchema:
    """Reads the table when it is needed, and again when it is said to have changed.

    All methods raise GoogleAPICallError where the table cannot be read, does not exist, or lacks
    a column that rows fill. Nobody's row is at fault then: the work waits.
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
        """The table."""
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
        """Has the table read again."""
        self._table = None

    def check(self, rows: Sequence[Row]) -> Checked:
        """Parts the rows that the table takes from the others.

        Somebody may have relaxed or retyped a column since the table was read, so no row is bad
        by a reading that is older than ``READ_AGAIN_SECONDS``.
        """
        with self._expect_columns():
            checked = self.read().check(rows, dt.datetime.now(dt.UTC))
            if checked.rejected and time.monotonic() - self._read_at >= READ_AGAIN_SECONDS:
                self.forget()
                checked = self.read().check(rows, dt.datetime.now(dt.UTC))
            return checked

    def fit(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rows that were checked, with the columns that the table has now."""
        with self._expect_columns():
            return self.read().fit(batch)

    @contextlib.contextmanager
    def _expect_columns(self) -> Iterator[None]:
        try:
            yield
        except MissingColumnError as error:
            self.forget()
            raise NotFound(str(error)) from None  # type: ignore[no-untyped-call]
