"""Checks rows against their table before they are sent, so that a bad row fails alone.

BigQuery rejects a whole request if one row does not fit, and an emulator accepts what BigQuery
would not. Whole columns are converted and compared at once; values are checked one by one only in
a column with a bad value.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud.bigquery import Table

from schemas.errors import ErrorKind, Rejection
from transforms.rows import Row
from transforms.table_column import Column, MissingColumnError, is_null, row_sizes

# Below the limit of an append: BigQuery accepts requests and rows of up to 10 MB.
# https://cloud.google.com/bigquery/quotas#write-api-limits
MAX_ROW_BYTES = 9_900_000


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
            Column(fields[name], partition=name == partition) if name in fields else None
            for name in columns
        ]
        self._names = tuple(columns)
        self._by_name = {column.name: column for column in self._columns if column is not None}
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
                if not all(map(is_null, values)):
                    raise MissingColumnError(f"the table has no column {name}")
                continue
            array, unfit = column.convert(values)
            arrays.append(array)
            for index in unfit:
                reason = f"invalid: {name} is not of type {column.type}"
                bad.setdefault(index, RejectedRow.of(index, reason, name))
            for fault, found in column.faults(array, now):
                for index in found:
                    bad.setdefault(index, RejectedRow.of(index, f"invalid: {fault}", name))
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        for index in _too_large(batch):
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
            if pa.types.is_nested(array.type):
                self._by_name[name].expect_members(array.to_pylist())
        return pa.RecordBatch.from_arrays(
            [
                _cast(batch.column(field.name), field)
                if field.name in batch.schema.names
                else pa.nulls(len(batch), field.type)
                for field in self.schema
            ],
            schema=self.schema,
        )


def _cast(array: pa.Array, field: pa.Field) -> pa.Array:
    try:
        return array.cast(field.type)
    except pa.ArrowException:  # its text quotes a value
        raise ValueError(
            f"column {field.name} has become {field.type}, which {array.type} does not fit"
        ) from None


def _too_large(batch: pa.RecordBatch) -> Iterable[int]:
    if pa.ipc.get_record_batch_size(batch) <= MAX_ROW_BYTES:
        return ()
    places: list[int] = pc.indices_nonzero(pc.greater(row_sizes(batch), MAX_ROW_BYTES)).to_pylist()
    return places
