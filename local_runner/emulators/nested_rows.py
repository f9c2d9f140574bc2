"""Nested values that bqemulator's two writers take, as BigQuery does."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from bqemulator.api.routes import tabledata
from bqemulator.domain.errors import ValidationError
from bqemulator.grpc_api import write_servicer
from bqemulator.storage import arrow_bridge

# Typed as Any, since what is replaced has narrower types than what replaces it.
_tabledata: Any = tabledata
_write_servicer: Any = write_servicer

_IsGood = Callable[[Any, pa.Field], bool]


def patch() -> None:
    """Changes bqemulator, which must not have started."""
    handlers = _write_servicer.BigQueryWriteHandler
    _write_servicer._table_arrow_schema = _arrow_schema
    _write_servicer._align_to_target = _fit
    # It would keep the schema that the table had when the connection was opened.
    handlers._ensure_stream_bound = lambda handler, stream, _bound, context: (
        handler._bind_stream_to_target(stream, context)
    )
    _tabledata.bq_rows_to_arrow = _checked(_tabledata.bq_rows_to_arrow)
    _tabledata._format_insert_error = _located(_tabledata._format_insert_error)


def _arrow_schema(table: Any) -> pa.Schema:
    """It left out the fields of a RECORD."""
    fields = _tabledata._fields_raw_from_schema(table.schema_.fields)
    return _tabledata._build_arrow_schema(fields)


def _fit(table: pa.Table, target: pa.Schema) -> pa.Table:
    """Rows in the schema of a table. BigQuery has no null arrays: they are empty.

    Raises:
        ValueError: a value cannot be converted.
    """
    columns = [
        _fitted(table.column(field.name).combine_chunks(), field.type, field.name)
        if field.name in table.column_names
        else _fitted(pa.nulls(table.num_rows, field.type), field.type, field.name)
        for field in target
    ]
    return pa.Table.from_arrays(columns, schema=target)


def _fitted(array: pa.Array, wanted: pa.DataType, path: str) -> pa.Array:
    if array.type == wanted and not pa.types.is_nested(wanted):
        return array
    if pa.types.is_list(wanted) and _is_list(array.type):
        if array.flatten().null_count:
            raise ValueError(f"Field {path}: an array cannot hold NULL")
        lengths = pc.fill_null(pc.list_value_length(array), 0)
        ends = pc.cumulative_sum(lengths.cast(pa.int32()))
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
        values = _fitted(array.flatten(), wanted.value_type, path)
        return pa.ListArray.from_arrays(offsets, values, type=wanted)
    if pa.types.is_struct(wanted) and pa.types.is_struct(array.type):
        present = {field.name for field in array.type}
        if unknown := present - {field.name for field in wanted}:
            raise ValueError(f"Field {path} has no field {min(unknown)} in the table")
        children = [
            _fitted(
                array.field(field.name)
                if field.name in present
                else pa.nulls(len(array), field.type),
                field.type,
                f"{path}.{field.name}",
            )
            for field in wanted
        ]
        return pa.StructArray.from_arrays(children, fields=[*wanted], mask=array.is_null())
    try:
        return array.cast(wanted)
    except pa.ArrowNotImplementedError as error:
        raise ValueError(f"Field {path}: {error}") from None


def _is_list(arrow_type: pa.DataType) -> bool:
    return bool(pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type))


class _BadValueError(ValidationError, ValueError):
    """insertAll refuses the row, or the request where rows are not to be skipped."""


def _checked(to_arrow: Callable[..., pa.Table]) -> Callable[..., pa.Table]:
    """It takes any text for a nested BOOL, any value as STRING, and drops unknown nested fields.

    Bad numbers end in an internal error, which clients retry for minutes.
    """

    def rows_to_arrow(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
        nested = [field for field in schema if pa.types.is_nested(field.type)]
        _check_rows(rows, nested, _is_readable)
        try:
            table = to_arrow(rows, schema)
        except (ValueError, TypeError, ArithmeticError):
            _check_rows(rows, schema, _is_convertible)  # finds the value at fault
            raise
        return _fit(table, schema) if nested else table

    return rows_to_arrow


def _check_rows(rows: list[dict[str, Any]], fields: Iterable[pa.Field], is_good: _IsGood) -> None:
    """Checks the rows of a request against columns of the table.

    Raises:
        _BadValueError: with the path of the first bad value.
    """
    for row in rows:
        values = row.get("json", row)
        for field in fields:
            if field.name in values:
                _check(values[field.name], field, field.name, is_good)


def _check(value: Any, field: pa.Field, path: str, is_good: _IsGood) -> None:
    if pa.types.is_list(field.type):
        if not isinstance(value, list) or None in value:
            reason = "Repeated field must be imported as a JSON array without NULL"
            raise _BadValueError(f"{reason}. Field: {path}", location=path)
        element = field.type.value_field.with_metadata(field.metadata)
        for index, each in enumerate(value):
            _check(each, element, f"{path}[{index}]", is_good)
    elif value is None:
        return
    elif pa.types.is_struct(field.type) and isinstance(value, dict):
        known = {nested.name: nested for nested in field.type}
        for name, nested in value.items():
            if name not in known:
                raise _BadValueError(f"no such field: {path}.{name}", location=f"{path}.{name}")
            _check(nested, known[name], f"{path}.{name}", is_good)
    elif not is_good(value, field):
        bq_type = (field.metadata or {}).get(b"bq_type", b"").decode()
        raise _BadValueError(f"Cannot convert value to {bq_type}. Field: {path}", location=path)


def _is_readable(value: Any, field: pa.Field) -> bool:
    if isinstance(value, dict | list):
        return False
    if pa.types.is_boolean(field.type):
        return str(value).lower() in ("true", "false", "1", "0")
    if (field.metadata or {}).get(b"bq_type") == b"JSON":
        try:
            json.loads(value)
        except (TypeError, ValueError):
            return False
    return True


def _is_convertible(value: Any, field: pa.Field) -> bool:
    try:
        pa.array([arrow_bridge._coerce_to_arrow_value(value, field.type, field=field)], field.type)
    except (ValueError, TypeError, ArithmeticError):
        return False
    return True


def _located(format_error: Callable[..., Any]) -> Callable[..., Any]:
    """It names the first column of the row, whichever value was at fault."""

    def insert_error(index: int, error: BaseException, *row: Any) -> Any:
        if not isinstance(error, _BadValueError):
            return format_error(index, error, *row)
        reason = {"reason": "invalid", "debugInfo": "", "message": error.message}
        return {"index": index, "errors": [reason | {"location": error.location or ""}]}

    return insert_error
