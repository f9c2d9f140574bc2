"""Checks rows against their table before they are sent, so that a bad row fails alone.

BigQuery rejects a whole request if one row does not fit, and an emulator accepts what BigQuery
would not. Whole columns are converted and compared at once; values are checked one by one only in
a column with a bad value.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud.bigquery import SchemaField, Table

from schemas.errors import ErrorKind, Rejection
from transforms.rows import Row

# Below the limit of an append: BigQuery accepts requests and rows of up to 10 MB.
# https://cloud.google.com/bigquery/quotas#write-api-limits
MAX_ROW_BYTES = 9_900_000

# BigQuery types as Arrow types; JSON is text.
# https://cloud.google.com/bigquery/docs/supported-data-types#supported_apache_arrow_data_types
_TYPES = {
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "JSON": pa.string(),
}
# The REST API returns the legacy names, SQL uses the standard ones.
_NAMES = {"BOOL": "BOOLEAN", "INT64": "INTEGER", "FLOAT64": "FLOAT"}
_FIRST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_LAST = dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)
# BigQuery accepts rows for partitions from ten years back to one year ahead.
# https://cloud.google.com/bigquery/docs/write-api#time-unit_column_partitioning
_PAST = dt.timedelta(days=3650)
_AHEAD = dt.timedelta(days=365)
_NOT_CONVERTIBLE = (pa.ArrowException, TypeError, ValueError, OverflowError)


class MissingColumnError(Exception):
    """Rows have values in a column that the table does not have."""


class RejectedRow(NamedTuple):
    """A row that the table does not accept, and why.

    Attributes:
        position: among the rows that were checked, or appended since the last flush; from 0.
        rejection: BigQuery's own text, if BigQuery rejected it, may quote the row; the field is the
            column at fault, or None for the row as a whole.
    """

    position: int
    rejection: Rejection

    @classmethod
    def of(cls, position: int, reason: str, field: str | None = None) -> Self:
        """A row that is rejected for this reason."""
        return cls(position, Rejection(ErrorKind.REJECTED_BY_WAREHOUSE, reason, field))


@dataclasses.dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        batch: the valid rows, with the columns that the table has.
        indices: the position of each of them among the rows that were checked.
        rejected: the others, in their order.
    """

    batch: pa.RecordBatch
    indices: list[int]
    rejected: list[RejectedRow]


class RowChecker:
    """Checks rows of one table and converts them to Arrow batches."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        """Takes the table as BigQuery describes it, and the columns that rows fill, in order.

        Raises:
            ValueError: a column has a type that we do not write.
        """
        fields = {field.name: field for field in table.schema}
        partitioning = table.time_partitioning
        partition = partitioning.field if partitioning is not None else None
        self._columns = [
            _Column(fields[name], name == partition) if name in fields else None for name in columns
        ]
        self._names = tuple(columns)
        self.schema = pa.schema([column.field for column in self._columns if column is not None])

    def check(self, rows: Sequence[Row], now: dt.datetime) -> Checked:
        """Separates valid from rejected rows; ``now`` (UTC) is the reference for partition limits.

        Raises:
            MissingColumnError: the table lacks a column in which a row has a value.
        """
        bad: dict[int, RejectedRow] = {}
        arrays = []
        by_column = zip(*rows, strict=True) if rows else [()] * len(self._names)
        for name, column, values in zip(self._names, self._columns, by_column, strict=True):
            if column is None:
                if any(value is not None for value in values):
                    raise MissingColumnError(f"the table has no column {name}")
                continue
            array, unfit = column.convert(values)
            arrays.append(array)
            for index in unfit:
                reason = f"invalid: {name} is not of type {column.type}"
                bad.setdefault(index, RejectedRow.of(index, reason, name))
            for reason, mask in column.faults(array, now):
                for index in _true(mask):
                    bad.setdefault(index, RejectedRow.of(index, f"invalid: {name} {reason}", name))
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        for index in _true(_too_large(batch)):
            reason = f"invalid: the row has more than {MAX_ROW_BYTES} bytes"
            bad.setdefault(index, RejectedRow.of(index, reason))
        indices = [index for index in range(len(rows)) if index not in bad]
        if bad:
            batch = batch.take(pa.array(indices, pa.int64()))
        return Checked(batch, indices, [bad[index] for index in sorted(bad)])

    def fit(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch that was checked against an earlier schema, converted to the current one.

        Raises:
            MissingColumnError: the table has lost a column in which the batch has values.
            ValueError: a column has another type now, which does not fit the batch's values.
        """
        if batch.schema == self.schema:
            return batch
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            if name not in self.schema.names and array.null_count < len(array):
                raise MissingColumnError(f"the table has no column {name}")
        return pa.RecordBatch.from_arrays(
            [
                _cast(batch.column(field.name), field)
                if field.name in batch.schema.names
                else pa.nulls(len(batch), field.type)
                for field in self.schema
            ],
            schema=self.schema,
        )


class _Column:
    """What a column accepts."""

    def __init__(self, field: SchemaField, partition: bool) -> None:
        self.type = _NAMES.get(field.field_type, field.field_type)
        if self.type not in _TYPES or field.mode == "REPEATED":
            raise ValueError(f"column {field.name}: {field.mode} {self.type} cannot be written")
        self._required = field.mode == "REQUIRED"
        self._max_length = field.max_length
        self._partition = partition
        self.field = pa.field(field.name, _TYPES[self.type], nullable=not self._required)

    def convert(self, values: Sequence[Any]) -> tuple[pa.Array, list[int]]:
        """The values as an Arrow column; the positions of those of a wrong type, set to null."""
        try:
            return pa.array(values, self.field.type), []
        except _NOT_CONVERTIBLE:
            fit, unfit = list(values), []
        for index, value in enumerate(values):
            try:
                pa.array([value], self.field.type)
            except _NOT_CONVERTIBLE:
                fit[index] = None
                unfit.append(index)
        return pa.array(fit, self.field.type), unfit

    def faults(self, array: pa.Array, now: dt.datetime) -> Iterator[tuple[str, pa.Array | None]]:
        """Each possible fault of the column, and a mask of the rows that have it."""
        if self._required and array.null_count:
            yield "is required", array.is_null()
        if self.type == "FLOAT":  # JSON has no NaN, so streaming inserts could not send it
            yield "is not a finite number", pc.invert(pc.is_finite(array))
        if self._max_length is not None:
            length = pc.binary_length if self.type == "BYTES" else pc.utf8_length
            longer = pc.greater(length(array), self._max_length)
            yield f"is longer than {self._max_length}", longer
        if self.type == "TIMESTAMP":
            yield "lies outside the years 1 to 9999", _outside(array, _FIRST, _LAST)
        if self._partition:
            reason = "lies more than 10 years back or 1 year ahead, where no partition takes rows"
            yield reason, _outside(array, now - _PAST, now + _AHEAD)


def _cast(array: pa.Array, field: pa.Field) -> pa.Array:
    try:
        return array.cast(field.type)
    except pa.ArrowException:  # its text quotes a value
        raise ValueError(
            f"column {field.name} has become {field.type}, which {array.type} does not fit"
        ) from None


def _outside(array: pa.Array, first: dt.datetime, last: dt.datetime) -> pa.Array | None:
    """A mask of the days or times out of range; None if there are none, which is fast to check."""
    whole = pa.int32() if pa.types.is_date32(array.type) else pa.int64()
    times = pa.array([first, last], _TYPES["TIMESTAMP"]).cast(array.type).view(whole)
    low, high = times.to_pylist()
    numbers = array.view(whole)
    found = pc.min_max(numbers).as_py()
    if found["min"] is None or (found["min"] >= low and found["max"] <= high):
        return None
    return pc.or_(pc.less(numbers, low), pc.greater(numbers, high))


def _too_large(batch: pa.RecordBatch) -> pa.Array | None:
    if pa.ipc.get_record_batch_size(batch) <= MAX_ROW_BYTES:
        return None
    sizes = pa.array([0] * len(batch), pa.int64())
    for array in batch.columns:
        if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
            sizes = pc.add(sizes, pc.fill_null(pc.binary_length(array), 0))
    return pc.greater(sizes, MAX_ROW_BYTES)


def _true(mask: pa.Array | None) -> Iterable[int]:
    """The positions at which a mask is true."""
    if mask is None or not pc.any(mask).as_py():
        return ()
    indices: list[int] = pc.indices_nonzero(mask).to_pylist()
    return indices
