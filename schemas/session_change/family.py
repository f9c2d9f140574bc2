"""The registration of the session changes."""

from schemas.family import EventFamily

FAMILY = EventFamily(
    name="session_change",
    table="session_changes_fact",
    event_time="expiry_ts",
    clustering=("session_id",),
    person_through="session_id",
    # BigQuery takes streamed rows of dates up to a year ahead.
    max_ahead_days=364,
)
