"""The registration of the user activity."""

from schemas.family import EventFamily

FAMILY = EventFamily(
    name="user_activity",
    table="user_activity_fact",
    event_time="timestamp",
    clustering=("user_id", "activity_type"),
    person="user_id",
    retention_days=90,
    renamed={"ingest_ts": "processed_timestamp"},
)
