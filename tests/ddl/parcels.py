"""A family that only the tests of ddl/ know: records, arrays of records, arrays in those."""

import dataclasses
import json
from typing import Any

from schemas import contract
from schemas.contract import Contract
from schemas.family import EventFamily

_TIMESTAMP = {"type": "long", "logicalType": "timestamp-micros"}
_NUMERIC = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    """A field of an Avro record, described."""
    return {"name": name, "type": kind, "doc": f"The {name} of the parcel.", **more}


def optional(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return field(name, ["null", kind], default=None, **more)


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


SCAN = record(
    "Scan", field("place", "string", minLength=1, maxLength=32), optional("end", _TIMESTAMP)
)
LEG = record(
    "Leg",
    field("carrier", {"type": "enum", "name": "Carrier", "symbols": ["road", "rail"]}),
    field("price", _NUMERIC, minimum=0),
    field("scans", array(SCAN), maxLength=5),
    optional("weights", array("double"), minimum=0, maximum=1000.5),
)
ADDRESS = record(
    "Address",
    field("city", "string", minLength=1, maxLength=64),
    optional("zip", "string", pattern="[0-9]{5}|\\$none"),
)
PARCEL = record(
    "Parcel",
    field("event_type", {"type": "enum", "name": "T", "symbols": ["sent", "moved", "lost"]}),
    field("parcel_id", "string", minLength=1, maxLength=128),
    field("at", _TIMESTAMP),
    field("address", ADDRESS),
    field("legs", array(LEG), minLength=1, maxLength=3),
    optional("event_id", "string", minLength=1, maxLength=128),
    optional("customer", "string", maxLength=128, private=True),
    optional("grams", "int", minimum=1),
    optional("return_to", ADDRESS),
    optional("tags", array("string"), minLength=1, maxLength=4),
    optional("due", {"type": "int", "logicalType": "date"}),
    optional("notes", {"type": "string", "sqlType": "JSON"}),
    optional("fee", "double", maximum=10),
) | {"doc": 'Parcels on their way, "priced" in $.'}


@dataclasses.dataclass(frozen=True)
class Parcels(EventFamily):
    """A family whose contract is given, not read from its file."""

    avsc: str = ""

    @property
    def contract(self) -> Contract:  # type: ignore[override]
        return contract.parse(json.loads(self.avsc))


PARCELS = Parcels(
    name="parcels",
    table="parcels_fact",
    event_time="at",
    clustering=("parcel_id", "event_type"),
    retention_days=90,
    dead_letter_types={"lost": "store_error"},  # type: ignore[dict-item]
    renamed={"ingest_ts": "processed_timestamp", "grams": "weight_grams"},
    avsc=json.dumps(PARCEL),
)


def parcel(event_id: str, minute: int = 0, **more: Any) -> dict[str, Any]:
    """A row of parcels_fact that no check objects to."""
    moment = f"2026-03-02T10:{minute:02}:00Z"
    return {
        "event_id": event_id,
        "event_type": "sent",
        "parcel_id": "p1",
        "at": moment,
        "address": {"city": "Graz", "zip": "80100"},
        "legs": [
            {"carrier": "rail", "price": "1.5", "scans": [{"place": "a"}], "weights": [1.5]},
            {"carrier": "road", "price": "0", "scans": [], "weights": []},
        ],
        "tags": [],
        "event_date": moment[:10],
        "publish_ts": moment,
        "processed_timestamp": moment,
        "message_id": f"m-{event_id}-{minute}",
        "pipeline_version": "1",
        "contract_version": "1",
        **more,
    }
