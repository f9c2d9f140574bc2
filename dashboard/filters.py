"""The filters of a page, as they stand in its URL."""

import dataclasses
import datetime as dt
import urllib.parse
from collections.abc import Mapping, Sequence

from schemas.contract import MAX_ID_LENGTH
from schemas.dates import parse_date

# Days that end today, and how the page calls them. The first is what a page opens with.
RANGES: Mapping[int, str] = {
    7: "Last 7 days",
    1: "Today",
    30: "Last 30 days",
    365: "Last 365 days",
}


class FilterError(ValueError):
    """The URL holds a filter that cannot be used; the message is for the reader."""


@dataclasses.dataclass(frozen=True)
class Filters:
    """What a page is restricted to.

    Attributes:
        first_date: first UTC date.
        last_date: last UTC date.
        days: how many days up to today these are; None where the reader chose the dates.
        values: dimension to the value that it must have.
    """

    first_date: dt.date
    last_date: dt.date
    days: int | None
    values: Mapping[str, str]

    def query(self, **changes: str) -> str:
        """The query string of these filters; an empty change removes a filter."""
        dates = (
            {"days": str(self.days)}
            if self.days
            else {"from": f"{self.first_date}", "to": f"{self.last_date}"}
        )
        fields = {**dates, **self.values, **changes}
        return urllib.parse.urlencode({name: value for name, value in fields.items() if value})

    def includes(self, date: dt.date) -> bool:
        """Whether the date is among the dates."""
        return self.first_date <= date <= self.last_date


def parse(fields: Mapping[str, str], names: Sequence[str], today: dt.date) -> Filters:
    """Reads the fields of a query string.

    Args:
        fields: name to text; unknown names are left out.
        names: the dimensions that the page filters by.
        today: UTC date.

    Raises:
        FilterError: a field cannot be used.
    """
    values = {name: fields[name] for name in names if fields.get(name)}
    for name, value in values.items():
        if len(value) > MAX_ID_LENGTH:
            raise FilterError(f"{name} is longer than {MAX_ID_LENGTH} characters")
    if not fields.get("days") and fields.get("from") and fields.get("to"):
        first, last = _date("from", fields["from"]), _date("to", fields["to"])
        if first > last:
            raise FilterError(f"the first date, {first}, is after the last, {last}")
        return Filters(first, last, None, values)
    text = fields.get("days") or str(next(iter(RANGES)))
    if text not in map(str, RANGES):
        raise FilterError(f"days must be one of {', '.join(map(str, RANGES))}")
    days = int(text)
    return Filters(today - dt.timedelta(days=days - 1), today, days, values)


def _date(name: str, text: str) -> dt.date:
    try:
        return parse_date(text)
    except ValueError as error:
        raise FilterError(f"{name} {error}") from None
