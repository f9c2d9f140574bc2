"""Values as a reader and a CSV file see them."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from dashboard.layout import Panel
from dashboard.semantic.model import Format

NUMERIC: frozenset[Format] = frozenset({"integer", "decimal", "percent", "seconds"})
# What a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def shown(value: Any, kind: Format) -> str:
    """A value as HTML; times are ``<time>`` elements that the browser puts in its own zone."""
    match value:
        case None:
            return Markup('<span class="nothing" title="no value">–</span>')  # noqa: RUF001
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            utc = value.astimezone(dt.UTC)
            seconds = "%Y-%m-%d %H:%M" if kind == "hour" else "%Y-%m-%d %H:%M:%S"
            return Markup('<time datetime="{}" data-kind="{}">{} UTC</time>').format(
                utc.isoformat(), kind, utc.strftime(seconds)
            )
        case dt.date():
            return Markup('<span class="date">{}</span>').format(value.isoformat())
        case int() | float() | Decimal():
            return number(value, kind)
        case _:
            return str(value)


def number(value: float | Decimal, kind: Format) -> str:
    """A number with its unit."""
    match kind:
        case "percent":
            return f"{100 * value:,.1f} %"
        case "seconds":
            return _duration(float(value))
        case "decimal":
            return f"{value:,.2f}"
        case _:
            return f"{value:,.0f}"


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:,.1f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:02.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:02.0f} min"
    return f"{seconds / _DAY:,.1f} days"


def as_csv(panel: Panel, rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV, with the columns' names first; times in UTC, numbers unrounded."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = [column.name for column in panel.columns]
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case Decimal():
            return f"{value:f}"
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value
