"""What BigQuery bills for ingesting a row, by its published rules.

The size of a row is that of its values by data type: INT64, FLOAT64, DATE and TIMESTAMP 8 bytes,
BOOL 1, STRING and BYTES 2 and the bytes of the value, JSON the bytes of its text, NULL nothing
(https://cloud.google.com/bigquery/pricing, data size calculation). The Storage Write API bills that
size; tabledata.insertAll bills it too, but no row for less than 1 KB (same page, data ingestion).
"""

import datetime as dt
from collections.abc import Collection, Sequence

from transforms.rows import Row

INSERT_ALL_LEAST = 1024
_EIGHT_BYTES = (int, float, dt.datetime, dt.date)


def row_bytes(columns: Sequence[str], row: Row, json_columns: Collection[str]) -> int:
    """The size of a row by the types of its values: what the Storage Write API bills."""
    return sum(
        _value_bytes(value, column in json_columns)
        for column, value in zip(columns, row, strict=True)
    )


def insert_all_bytes(size: int) -> int:
    """What insertAll bills for a row of this size."""
    return max(size, INSERT_ALL_LEAST)


def _value_bytes(value: object, is_json: bool) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, _EIGHT_BYTES):
        return 8
    length = len(value.encode()) if isinstance(value, str) else len(bytes(value))  # type: ignore[call-overload]
    return length if is_json else length + 2
