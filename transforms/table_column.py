"""What one column of a table accepts, records and arrays included."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud.bigquery import SchemaField

from schemas.contract import NUMERIC_PRECISION, NUMERIC_SCALE

# BigQuery types as Arrow types; JSON is text.
# https://cloud.google.com/bigquery/docs/supported-data-types#supported_apache_arrow_data_types
_TYPES = {
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "NUMERIC": pa.decimal128(NUMERIC_PRECISION, NUMERIC_SCALE),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "JSON": pa.string(),
}
_RECORD = "RECORD"
_REPEATED = "REPEATED"
# The REST API returns the legacy names, SQL uses the standard ones.
_NAMES = {"BOOL": "BOOLEAN", "INT64": "INTEGER", "FLOAT64": "FLOAT", "STRUCT": _RECORD}
_FIRST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_LAST = dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)
# BigQuery accepts rows for partitions from ten years back to one year ahead.
# https://cloud.google.com/bigquery/docs/write-api#time-unit_column_partitioning
_PAST = dt.timedelta(days=3650)
_AHEAD = dt.timedelta(days=365)
_NOT_CONVERTIBLE = (pa.ArrowException, TypeError, ValueError, OverflowError)

# Positions of rows; of those of an array's elements, those of the rows that they are in.
_Places: TypeAlias = Iterable[int]


class MissingColumnError(Exception):
    """Rows have values in a column, or a field of a record, that the table does not have."""


class Column:
    """What a column, or a field of a record, accepts.

    Attributes:
        name: with the path of the record that it is in.
        type: BigQuery's name of its type.
        field: the Arrow field.
    """

    def __init__(self, field: SchemaField, *, inside: str = "", partition: bool = False) -> None:
        """Raises ValueError for a type that we do not write."""
        self.name = f"{inside}{field.name}"
        self.type = _NAMES.get(field.field_type, field.field_type)
        self._members: dict[str, Column] = {
            member.name: Column(member, inside=f"{self.name}.")
            for member in (field.fields if self.type == _RECORD else ())
        }
        if self.type not in _TYPES and not self._members:
            raise ValueError(f"column {self.name}: {field.mode} {self.type} cannot be written")
        self._required = field.mode == "REQUIRED"
        self._repeated = field.mode == _REPEATED
        self._max_length = field.max_length
        self._partition = partition
        self._one = (
            pa.struct([member.field for member in self._members.values()])
            if self._members
            else _TYPES[self.type]
        )
        arrow = pa.list_(self._one) if self._repeated else self._one
        self.field: pa.Field = pa.field(field.name, arrow, nullable=not self._required)

    def convert(self, values: Sequence[Any]) -> tuple[pa.Array, list[int]]:
        """The values as an Arrow column; the positions of those of a wrong type, set to null.

        Raises:
            MissingColumnError: a record has a value in a field that the table does not have.
        """
        self.expect_members(values)
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

    def expect_members(self, values: Iterable[Any]) -> None:
        """Raises MissingColumnError if a record fills a field that the table does not have."""
        for value in values if self._members else ():
            if isinstance(value, Mapping):
                self._expect(value)
            elif self._repeated and isinstance(value, list | tuple):
                for element in value:
                    if isinstance(element, Mapping):
                        self._expect(element)

    def _expect(self, record: Mapping[str, Any]) -> None:
        for name, value in record.items():
            if is_null(value):
                continue
            member = self._members.get(name)
            if member is None:
                raise MissingColumnError(f"the table has no column {self.name}.{name}")
            member.expect_members([value])

    def faults(self, array: pa.Array, now: dt.datetime) -> Iterator[tuple[str, _Places]]:
        """Each fault, as text, and the positions of the rows that have it."""
        if self._repeated:
            rows = pc.list_parent_indices(array).to_pylist()
            for reason, places in self._faults_of_one(pc.list_flatten(array), now):
                yield reason, [rows[place] for place in places]
            return
        if self._required and array.null_count:
            yield f"{self.name} is required", _true(array.is_null())
        yield from self._faults_of_one(array, now)

    def _faults_of_one(self, array: pa.Array, now: dt.datetime) -> Iterator[tuple[str, _Places]]:
        name = self.name
        for place, member in enumerate(self._members.values()):
            yield from member.faults(pc.struct_field(array, [place]), now)
        if self.type == "FLOAT":  # JSON has no NaN, so streaming inserts could not send it
            yield f"{name} is not a finite number", _true(pc.invert(pc.is_finite(array)))
        if self._max_length is not None:
            length = pc.binary_length if self.type == "BYTES" else pc.utf8_length
            longer = pc.greater(length(array), self._max_length)
            yield f"{name} is longer than {self._max_length}", _true(longer)
        if self.type == "TIMESTAMP":
            yield f"{name} lies outside the years 1 to 9999", _outside(array, _FIRST, _LAST)
        if self._partition:
            yield (
                f"{name} lies more than 10 years back or 1 year ahead, where no partition takes "
                "rows",
                _outside(array, now - _PAST, now + _AHEAD),
            )


def is_null(value: Any) -> bool:
    """Whether a value leaves its column without one; BigQuery stores a null array as empty."""
    return value is None or (isinstance(value, list | tuple) and not value)


def row_sizes(batch: pa.RecordBatch) -> pa.Array:
    """The bytes of text and bytes in each row; of records and arrays, of everything."""
    sizes = pa.array([0] * len(batch), pa.int64())
    for array in batch.columns:
        if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
            sizes = pc.add(sizes, pc.fill_null(pc.binary_length(array), 0))
        elif pa.types.is_nested(array.type):
            nested = [_size(array.slice(row, 1)) for row in range(len(array))]
            sizes = pc.add(sizes, pa.array(nested, pa.int64()))
    return sizes


def _size(array: pa.Array) -> int:
    return int(pa.ipc.get_record_batch_size(pa.record_batch([array], ["nested"])))


def _outside(array: pa.Array, first: dt.datetime, last: dt.datetime) -> _Places:
    """The days or times out of range; fast where there are none."""
    whole = pa.int32() if pa.types.is_date32(array.type) else pa.int64()
    times = pa.array([first, last], _TYPES["TIMESTAMP"]).cast(array.type).view(whole)
    low, high = times.to_pylist()
    numbers = array.view(whole)
    found = pc.min_max(numbers).as_py()
    if found["min"] is None or (found["min"] >= low and found["max"] <= high):
        return ()
    return _true(pc.or_(pc.less(numbers, low), pc.greater(numbers, high)))


def _true(mask: pa.Array) -> list[int]:
    """The positions at which a mask is true."""
    if not pc.any(mask).as_py():
        return []
    indices: list[int] = pc.indices_nonzero(mask).to_pylist()
    return indices
