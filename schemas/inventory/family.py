"""The registration of the inventory changes."""

from schemas.family import EventFamily

FAMILY = EventFamily(
    name="inventory",
    table="inventory_fact",
    event_time="timestamp",
    clustering=("product_id", "warehouse_id"),
    retention_days=90,
    renamed={"ingest_ts": "processed_timestamp"},
)
