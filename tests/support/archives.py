"""Archives as a Cloud Storage subscription of Pub/Sub writes them."""

import datetime as dt
from pathlib import Path
from typing import Any

import fastavro

from tests.support.events import NOW

ARCHIVE = {
    "type": "record",
    "name": "Message",
    "fields": [
        {"name": "subscription_name", "type": "string"},
        {"name": "message_id", "type": "string"},
        {"name": "publish_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "attributes", "type": {"type": "map", "values": "string"}},
        {"name": "data", "type": "bytes"},
    ],
}


def write_archive(
    path: Path, payloads: list[bytes], attributes: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Writes an archive of these messages, all with these attributes, and gives its records."""
    records = [
        {
            "subscription_name": "s",
            "message_id": f"{number}",
            "publish_time": NOW - dt.timedelta(days=1),
            "attributes": attributes or {},
            "data": payload,
        }
        for number, payload in enumerate(payloads)
    ]
    with path.open("wb") as file:
        fastavro.writer(file, ARCHIVE, records, codec="deflate")
    return records


def read_archive(path: Path) -> tuple[list[Any], str, Any]:
    """The records of an archive, its codec and its schema."""
    with path.open("rb") as file:
        reader: Any = fastavro.reader(file)
        return list(reader), reader.codec, reader.writer_schema
