"""The registration of the orders."""

from schemas.family import EventFamily

FAMILY = EventFamily(
    name="orders",
    table="orders_fact",
    event_time="order_date",
    clustering=("customer_id", "status"),
    person="customer_id",
    retention_days=90,
    renamed={"ingest_ts": "processed_timestamp"},
)
