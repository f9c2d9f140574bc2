"""Messages as a Pub/Sub Cloud Storage subscription with metadata archives them."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import fastavro

from local_runner.traffic.simulate import SimulatedMessage

_SCHEMA = {
    "type": "record",
    "namespace": "com.google.pubsub",
    "name": "PubsubMessage",
    "fields": [
        {"name": "subscription_name", "type": "string"},
        {"name": "message_id", "type": "string"},
        {"name": "publish_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "attributes", "type": {"type": "map", "values": "string"}},
        {"name": "data", "type": "bytes"},
    ],
}


def write_archive(
    messages: Iterable[SimulatedMessage], path: Path, subscription: str, start: dt.datetime
) -> None:
    """Writes the messages to an Avro file.

    Args:
        messages: what to write. Message ids are ``<absolute path>:<number>`` (nine digits, from
            1): plain numbers would be those of the Pub/Sub emulator, and of every other archive.
        path: overwritten; its folder is made.
        subscription: the path that the file names as its source.
        start: publish time of a message with offset 0, UTC.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    records = (
        {
            "subscription_name": subscription,
            "message_id": f"{path.absolute()}:{number:09}",
            "publish_time": start + dt.timedelta(seconds=message.offset_seconds),
            "attributes": message.attributes,
            "data": message.payload,
        }
        for number, message in enumerate(messages, start=1)
    )
    with path.open("wb") as file:
        fastavro.writer(file, _SCHEMA, records, codec="deflate")
