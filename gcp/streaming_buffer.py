"""Rows that were streamed a moment ago: BigQuery does not change or delete them yet."""

import datetime as dt

from google.cloud import bigquery

from schemas.families import FAMILIES
from schemas.tables import DEAD_LETTERS

# How long rows stay in the buffer at most. Used only to say when to try again, and if a table
# reports a buffer without its age.
STREAMING_BUFFER = dt.timedelta(minutes=90)
REFUSAL = "would affect rows in the streaming buffer"
"""Part of BigQuery's message about a statement that is refused for such rows."""
# A row says when it was sent, the buffer when it arrived.
_ON_THE_WAY = dt.timedelta(minutes=5)


def sent_column(table: str) -> str | None:
    """The column with the time at which a row was sent; None if the table is not streamed to."""
    sent = {family.table: family.column("ingest_ts") for family in FAMILIES.values()}
    return (sent | {DEAD_LETTERS: "failed_at"}).get(table)


def settled(table: bigquery.Table) -> tuple[str, dt.datetime | None]:
    """A condition for rows outside the buffer, and its parameter ``@settled``."""
    buffer, sent = table.streaming_buffer, sent_column(table.table_id)
    if buffer is None or sent is None:
        return "TRUE", None
    if buffer.oldest_entry_time is None:
        before = dt.datetime.now(dt.UTC) - STREAMING_BUFFER
    else:
        before = buffer.oldest_entry_time - _ON_THE_WAY
    return f"IFNULL({sent} < @settled, FALSE)", before


def when_to_repeat(rows: int, newest: dt.datetime, verb: str) -> str:
    """The line about rows that are left, given when the last one was sent."""
    again = newest + STREAMING_BUFFER
    return (
        f"{rows:,} rows are still in BigQuery's streaming buffer, where they cannot be {verb}: "
        f"run it again after {again:%Y-%m-%d %H:%M} UTC"
    )
