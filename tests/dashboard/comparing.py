"""Rows of two origins, made comparable."""

import datetime as dt
import re
from decimal import Decimal


def comparable(rows, columns):
    """The rows' values of these columns, in one order."""
    return sorted(str([_plain(row[name]) for name in columns]) for row in rows)


def _plain(value):
    if value is None:
        return None
    if isinstance(value, int | float | Decimal):
        return round(float(value), 6)
    if re.fullmatch(r"-?\d+\.\d+", value):
        return round(float(value), 6)  # more digits than a double, as text
    try:
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC) if ":" in value else value
    except ValueError:
        return value
