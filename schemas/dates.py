"""Date ranges that SQL and Python share; SQL files refer to them as ``${...}``."""

import datetime as dt
from collections.abc import Mapping

# The rest of a session, copies of an event and a session's start are at most this far from an
# event's date. Every query reads this many days more on either side (DESIGN 7).
MARGIN_DAYS = 8
MARGIN = dt.timedelta(days=MARGIN_DAYS)

# All partitions that BigQuery can have: "all dates" in SQL.
EARLIEST_DATE, LATEST_DATE = dt.date(1960, 1, 1), dt.date(2159, 12, 31)

# The dates that a table function accepts: with the margin added they are still valid dates.
FIRST_POSSIBLE_DATE, LAST_POSSIBLE_DATE = dt.date.min + MARGIN, dt.date.max - MARGIN

SQL_VARIABLES: Mapping[str, str] = {
    "margin_days": str(MARGIN_DAYS),
    "earliest_date": EARLIEST_DATE.isoformat(),
    "latest_date": LATEST_DATE.isoformat(),
}


def parse_date(text: str) -> dt.date:
    """The date of YYYY-MM-DD; raises ValueError if it is none, or no table function takes it."""
    try:
        date = dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError("must be a date, YYYY-MM-DD") from None
    if not FIRST_POSSIBLE_DATE <= date <= LAST_POSSIBLE_DATE:
        raise ValueError(f"must be from {FIRST_POSSIBLE_DATE} to {LAST_POSSIBLE_DATE}")
    return date
