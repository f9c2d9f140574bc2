"""The registration of deliveries."""

from schemas.family import EventFamily

FAMILY = EventFamily(
    name="deliveries",
    table="deliveries_fact",
    event_time="happened_at",
    clustering=("parcel_id",),
    person="recipient_id",
    retention_days=90,
)
