"""Writes rows with the Storage Write API, without Java: Arrow batches to the default stream.

At least once: what was not acknowledged is appended again (docs/adr/0006).
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from google.api_core.exceptions import (
    DeadlineExceeded,
    FailedPrecondition,
    GoogleAPICallError,
    NotFound,
    from_grpc_status,
)
from google.cloud.bigquery_storage_v1.types import StorageError
from google.protobuf import any_pb2

from gcp.dataset import Dataset
from gcp.retry import is_outage, is_request_at_fault, retry_transient
from pipeline.sinks.row_writer import rejected_rows
from pipeline.sinks.storage_write.connection import (
    MAX_REQUEST_BYTES,
    Append,
    Connection,
    NotReachedError,
)
from pipeline.sinks.storage_write.stream import TableStream, shared_stream
from transforms.row_checker import RejectedRow
from transforms.rows import Row

# Room in a request for the schema and the framing.
_MAX_BATCH_BYTES = MAX_REQUEST_BYTES - 50_000
_Code = StorageError.StorageErrorCode
_TABLE_CHANGED = frozenset({_Code.TABLE_NOT_FOUND, _Code.SCHEMA_MISMATCH_EXTRA_FIELDS})
# Also reported as INVALID_ARGUMENT, but no row is at fault.
_STREAM_AT_FAULT = _TABLE_CHANGED | {
    _Code.STREAM_FINALIZED,
    _Code.STREAM_NOT_FOUND,
    _Code.INVALID_STREAM_STATE,
}


@dataclasses.dataclass
class _Part:
    """Rows of one request, and their positions among those appended since the last flush."""

    batch: pa.RecordBatch
    indices: list[int]
    append: Append | None = None

    def again(self) -> "_Part":
        return _Part(self.batch, self.indices)

    def without(self, positions: Collection[int]) -> "list[_Part]":
        rest = [n for n in range(len(self.indices)) if n not in positions]
        batch = self.batch.take(pa.array(rest, pa.int64()))
        return [_Part(batch, [self.indices[n] for n in rest])] if rest else []

    def halves(self) -> "tuple[_Part, _Part]":
        middle = len(self.indices) // 2
        return (
            _Part(self.batch.slice(0, middle), self.indices[:middle]),
            _Part(self.batch.slice(middle), self.indices[middle:]),
        )


class StorageWriter:
    """A RowWriter over one AppendRows stream, which all writers of a process share."""

    def __init__(
        self, dataset: Dataset, table: str, columns: tuple[str, ...], sent: str | None = None
    ) -> None:
        """Takes the table, the columns that rows fill, and the one for the time of sending."""
        self._target = (dataset, table, columns)
        self._sent = sent
        self._parts: list[_Part] = []
        self._rejected: list[RejectedRow] = []
        self._appended = 0

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_parts": [], "_rejected": [], "_appended": 0, "_stream": None}

    def open(self) -> None:
        """Reads the table; waits for it if it is missing."""
        self._stream: TableStream = shared_stream(*self._target)
        self._stream.enter()
        retry_transient("BigQuery", self._stream.table.read)

    def append(self, rows: Sequence[Row]) -> None:
        """Starts to write rows; waits while too much is in flight."""
        checked = retry_transient("BigQuery", self._stream.table.check, rows)
        first, self._appended = self._appended, self._appended + len(rows)
        self._rejected += rejected_rows(checked, first)
        if checked.indices:
            indices = [first + index for index in checked.indices]
            self._parts += _within_limit(_Part(checked.batch, indices))
            retry_transient("BigQuery", self._send)

    def flush(self) -> list[RejectedRow]:
        """Waits until every row is written or rejected; returns the rejected ones, in order."""
        retry_transient("BigQuery", self._settle)
        rejected, self._rejected, self._appended = self._rejected, [], 0
        return sorted(rejected, key=lambda row: row.position)

    def close(self) -> None:
        """Leaves the shared connection; the last writer to leave closes it."""
        self._stream.leave()

    def _send(self) -> None:
        for part in self._parts:
            if part.append is None:
                part.append = self._stream.send(_stamped(part.batch, self._sent))

    def _settle(self) -> None:
        """Sends and awaits responses until nothing is left.

        Raises:
            GoogleAPICallError: an outage; the remaining parts are kept for a retry.
        """
        outage = None
        while self._parts:
            self._send()
            parts, self._parts = self._parts, []
            for part in parts:
                try:
                    self._parts += self._left_of(part)
                except NotReachedError:
                    self._parts.append(part.again())
                except GoogleAPICallError as error:
                    self._parts.append(part.again())
                    outage = error
            if outage is not None:
                raise outage

    def _left_of(self, part: _Part) -> Iterable[_Part]:
        """The rest of a part that is still to be written after BigQuery's response.

        Raises:
            GoogleAPICallError: an outage; all of it.
            NotReachedError: all of it.
        """
        assert part.append is not None  # noqa: S101 - _send() made sure of it
        try:
            response = part.append.result()
        except GoogleAPICallError as error:
            return self._after(error, part, part.append.connection)
        if response.updated_schema.fields:
            self._stream.drop(part.append.connection, table_changed=True)
        errors = {e.index: e for e in response.row_errors if 0 <= e.index < len(part.indices)}
        if errors:
            self._rejected += (
                RejectedRow.of(part.indices[index], f"invalid: {error.message}")
                for index, error in errors.items()
            )
            return part.without(errors)
        if not response.error.code:
            return ()
        status = response.error
        rejection = from_grpc_status(status.code, status.message, details=status.details)  # type: ignore[no-untyped-call]
        return self._after(rejection, part, part.append.connection)

    def _after(
        self, error: GoogleAPICallError, part: _Part, connection: Connection
    ) -> Iterable[_Part]:
        codes = _storage_codes(error)
        at_fault = is_request_at_fault(error) and not codes & _STREAM_AT_FAULT
        if at_fault and len(part.indices) == 1:
            self._rejected.append(RejectedRow.of(part.indices[0], f"invalid: {error.message}"))
            return ()
        if at_fault:
            return part.halves()
        self._stream.drop(
            connection,
            table_changed=isinstance(error, NotFound) or bool(codes & _TABLE_CHANGED),
            silent=isinstance(error, DeadlineExceeded),
        )
        raise error if is_outage(error) else FailedPrecondition(error.message)  # type: ignore[no-untyped-call]


def _stamped(batch: pa.RecordBatch, column: str | None) -> pa.RecordBatch:
    """The batch with the present time in a column, if it has that column."""
    place = batch.schema.get_field_index(column) if column else -1
    if place < 0:
        return batch
    field = batch.schema.field(place)
    now = pa.scalar(dt.datetime.now(dt.UTC), field.type)
    return batch.set_column(place, field, pa.repeat(now, len(batch)))


def _within_limit(part: _Part) -> Iterator[_Part]:
    if len(part.indices) > 1 and pa.ipc.get_record_batch_size(part.batch) > _MAX_BATCH_BYTES:
        for half in part.halves():
            yield from _within_limit(half)
    else:
        yield part


def _storage_codes(error: GoogleAPICallError) -> set[StorageError.StorageErrorCode]:
    """BigQuery's own error codes, beyond the gRPC status."""
    codes = set()
    for detail in error.details:
        if isinstance(detail, any_pb2.Any) and detail.Is(StorageError.pb().DESCRIPTOR):
            codes.add(StorageError.deserialize(detail.value).code)
    return codes
