"""The spans of days that SQL and Python share; SQL files take them as ``${...}``."""

import datetime as dt
from collections.abc import Mapping

# What concerns the events of a date lies at most this far from it: the rest of a session, copies
# of an event, a session's start. Every query reads as many days more on either side (DESIGN 7).
MARGIN_DAYS = 8
MARGIN = dt.timedelta(days=MARGIN_DAYS)

# All partitions that BigQuery can have: "all dates" in SQL.
EARLIEST_DATE, LATEST_DATE = dt.date(1960, 1, 1), dt.date(2159, 12, 31)

# The dates that a table function takes: with the margin around them they are dates still.
FIRST_POSSIBLE_DATE, LAST_POSSIBLE_DATE = dt.date.min + MARGIN, dt.date.max - MARGIN

SQL_VARIABLES: Mapping[str, str] = {
    "margin_days": str(MARGIN_DAYS),
    "earliest_date": EARLIEST_DATE.isoformat(),
    "latest_date": LATEST_DATE.isoformat(),
}
