"""Writes rows to BigQuery by streaming inserts (tabledata.insertAll)."""

import base64
import datetime as dt
import decimal
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from google.api_core.exceptions import GoogleAPICallError, ServiceUnavailable
from google.cloud import bigquery

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from gcp.retry import gateways_answer_as_outage, retry_transient, send_in_halves
from pipeline.sinks.row_writer import rejected_rows
from pipeline.sinks.table_schema import TableSchema
from transforms.row_checker import RejectedRow
from transforms.rows import Row, timestamp

_TIMEOUT_SECONDS = 60.0
_NO_RETRY: Any = None  # the caller retries
# For these reasons the row is at fault; for any other BigQuery asks to try again.
# https://cloud.google.com/bigquery/docs/error-messages
_ROW_AT_FAULT = frozenset({"invalid", "invalidQuery", "notImplemented", "parseError"})

# Also reported as "invalid": every row fills a column that the table has lost, and waits for it.
_LOST_COLUMN = "no such field"

# A row's position, its insertId, and its values by column.
_Pending = tuple[int, str, dict[str, Any]]

# The names that the table has, with the same for the fields of a record.
_Members: TypeAlias = Mapping[str, "_Members | None"]


class InsertRowsWriter:
    """A RowWriter over ``bigquery.Client.insert_rows_json``: one request per append."""

    def __init__(
        self, dataset: Dataset, table: str, columns: tuple[str, ...], sent: str | None = None
    ) -> None:
        """Takes the table, the columns that rows fill, and the one for the time of sending."""
        self._sent = sent
        self._dataset = dataset
        self._table = dataset.table(table)
        self._columns = columns
        self._live = TableSchema(dataset, table, columns)
        self._client: bigquery.Client | None = None
        self._appended = 0
        self._rejected: list[RejectedRow] = []
        self._unsettled: set[int] = set()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_client": None}

    def open(self) -> None:
        """Reads the table; waits for it if it is missing."""
        retry_transient("BigQuery", self._live.read)

    def append(self, rows: Sequence[Row]) -> None:
        """Writes rows; halves a request that BigQuery rejects as a whole."""
        checked = retry_transient("BigQuery", self._live.check, rows)
        first, self._appended = self._appended, self._appended + len(rows)
        self._rejected += rejected_rows(checked, first)
        # A column, or a field of a record, that the table lacks is null in all.
        present = _members(checked.batch.schema)
        pending: list[_Pending] = [
            (first + index, uuid.uuid4().hex, json_row(self._columns, rows[index], present))
            for index in checked.indices
        ]
        self._unsettled = {position for position, _, _ in pending}
        if not pending:
            return
        for offset, reply in send_in_halves(self._send, pending):
            if isinstance(reply, GoogleAPICallError):
                self._rejected.append(
                    RejectedRow.of(pending[offset][0], f"invalid: {reply.message}")
                )

    def flush(self) -> list[RejectedRow]:
        """Returns the rows rejected since the last flush."""
        rejected, self._rejected, self._appended = self._rejected, [], 0
        return rejected

    def close(self) -> None:
        """Closes the connection."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def _send(self, rows: Sequence[_Pending]) -> None:
        retry_transient("BigQuery", self._insert, rows)

    def _insert(self, rows: Sequence[_Pending]) -> None:
        """Inserts the rows that no earlier response has settled; BigQuery may defer some.

        Raises:
            ServiceUnavailable: some are deferred, or the response is not BigQuery's.
            GoogleAPICallError: the whole request failed.
        """
        pending = [row for row in rows if row[0] in self._unsettled]
        if not pending:
            return
        if self._client is None:
            self._client = bigquery_client(self._dataset.project)
        with gateways_answer_as_outage():
            errors = self._client.insert_rows_json(
                self._table,
                [self._stamped(row) for _, _, row in pending],
                row_ids=[row_id for _, row_id, _ in pending],
                retry=_NO_RETRY,
                skip_invalid_rows=True,
                timeout=_TIMEOUT_SECONDS,
            )
        deferred = set()
        for reported in errors:
            row = pending[reported["index"]]
            first = reported["errors"][0]
            if str(first.get("message")).startswith(_LOST_COLUMN):
                self._live.forget()
                deferred.add(row[0])
            elif first["reason"] in _ROW_AT_FAULT:
                reason = f"{first['reason']}: {first.get('message')}"
                self._rejected.append(RejectedRow.of(row[0], reason, first.get("location") or None))
            else:
                deferred.add(row[0])
        self._unsettled -= {position for position, _, _ in pending} - deferred
        if deferred:
            raise ServiceUnavailable(f"{len(deferred)} rows are deferred")  # type: ignore[no-untyped-call]

    def _stamped(self, row: dict[str, Any]) -> dict[str, Any]:
        if self._sent not in row:
            return row
        return row | {self._sent: timestamp(dt.datetime.now(dt.UTC))}


def json_row(columns: Sequence[str], row: Row, present: _Members | None = None) -> dict[str, Any]:
    """A row as JSON for insertAll, limited to the columns in ``present``; None is all."""
    return _json_record(zip(columns, row, strict=True), present)


def _members(fields: Iterable[pa.Field]) -> _Members:
    """The columns of a table by name, each with the members of its records."""
    found = {}
    for field in fields:
        kind = field.type.value_type if pa.types.is_list(field.type) else field.type
        found[field.name] = _members(kind) if pa.types.is_struct(kind) else None
    return found


def _json_record(values: Iterable[tuple[str, Any]], present: _Members | None) -> dict[str, Any]:
    if present is None:
        return {name: _json_value(value) for name, value in values}
    return {name: _json_value(value, present[name]) for name, value in values if name in present}


def _json_value(value: Any, present: _Members | None = None) -> Any:
    if isinstance(value, dt.datetime):
        return timestamp(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return _json_record(value.items(), present)
    if isinstance(value, list | tuple):
        return [_json_value(element, present) for element in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
