"""Two families that exist only in tests, with their tables: parcels (nested, of persons), gates."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from gcp.dataset import Dataset
from pipeline.sinks.insert_rows import json_row
from schemas.contract import Field
from schemas.envelope import ENVELOPE
from schemas.family import EventFamily
from schemas.lateness import LatenessResult, LateStatus
from schemas.message import Message, ValidEvent
from tests.support.families import ID, NUMERIC, TIMESTAMP, enum, field, nullable, record, registered
from transforms.decoding.decode import Decoder
from transforms.identity import with_event_id
from transforms.rows import FactRows

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)

SIZE = record("Size", field("unit", ID), field("count", {"type": "long"}))
LINE = record("Line", field("price", NUMERIC), field("size", nullable({"type": SIZE})))
PARCEL = record(
    "Parcel",
    field("event_type", enum("parcel_sent", "parcel_lost")),
    field("customer_id", ID),
    field("sent_at", TIMESTAMP),
    field("lines", {"type": {"type": "array", "items": LINE}, "minLength": 1}),
    field("weight", nullable({"type": "long"})),
    field("event_id", nullable(ID)),
)
GATE = record(
    "Gate",
    field("event_type", enum("gate_opened")),
    field("gate_id", ID),
    field("opened_at", TIMESTAMP),
    field("event_id", nullable(ID)),
)


@contextlib.contextmanager
def families() -> Iterator[tuple[EventFamily, EventFamily]]:
    """Registers parcels, whose messages name a person, and gates, whose messages name none."""
    with (
        registered(
            PARCEL,
            name="parcels",
            table="parcels_fact",
            event_time="sent_at",
            person="customer_id",
            renamed={"ingest_ts": "processed_timestamp", "weight": "grams"},
        ) as parcels,
        registered(GATE, name="gates", table="gates_fact", event_time="opened_at") as gates,
    ):
        yield parcels, gates


def parcel(event_id: str | None, **fields: Any) -> bytes:
    """A message of parcels: sent at NOW by c1, one line."""
    body = {
        "event_type": "parcel_sent",
        "customer_id": "c1",
        "sent_at": NOW.isoformat(),
        "lines": [{"price": "1.10", "size": {"unit": "kg", "count": 2}}],
    }
    return msgspec.json.encode({"event_id": event_id} | body | fields)


def gate(event_id: str | None, **fields: Any) -> bytes:
    """A message of gates: opened at NOW."""
    body = {"event_type": "gate_opened", "gate_id": "g1", "opened_at": NOW.isoformat()}
    return msgspec.json.encode({"event_id": event_id} | body | fields)


def create(client: bigquery.Client, dataset: Dataset, family: EventFamily) -> None:
    """Creates the fact table, and the function that finds conflicts."""
    schema = [_column(family.column(each.name), each) for each in family.contract.fields]
    schema += [SchemaField(family.column(name), one.kind) for name, one in ENVELOPE.items()]
    client.create_table(bigquery.Table(dataset.table(family.table), schema))
    compared = [each.name for each in family.contract.fields if each.name != "event_id"] + ["extra"]
    differs = " OR ".join(
        f"COUNT(DISTINCT TO_JSON_STRING(STRUCT({family.column(name)}))) > 1" for name in compared
    )
    client.query(
        f"CREATE TABLE FUNCTION `{dataset.table(family.conflicts)}_between`"
        "(first_date DATE, last_date DATE) AS "
        "SELECT event_id, MIN(publish_ts) AS first_publish_ts, MAX(publish_ts) AS last_publish_ts "
        f"FROM `{dataset.table(family.table)}` "
        "WHERE event_date BETWEEN first_date AND last_date "
        f"GROUP BY event_id HAVING {differs}"
    ).result()


def _column(name: str, declared: Field) -> SchemaField:
    return SchemaField(
        name,
        declared.kind,
        "REPEATED" if declared.repeated else "NULLABLE",
        fields=[_column(each.name, each) for each in declared.fields],
    )


def insert(
    client: bigquery.Client,
    dataset: Dataset,
    family: EventFamily,
    *payloads: bytes,
    first_id: int = 1,
    at: dt.datetime = NOW,
) -> None:
    """Writes facts as the pipeline makes them; their messages are ``<family>-<number>``."""
    decoder, rows = Decoder(family), FactRows(family, "1.2.3")
    lines = []
    for number, payload in enumerate(payloads, first_id):
        message = Message(
            payload=payload, message_id=f"{family.name}-{number}", publish_time=at, source="s"
        )
        event, extra = decoder.decode(payload)
        if event.event_id is None:
            event = with_event_id(event, extra)
        valid = ValidEvent(message=message, event=event, extra=extra)
        row = rows.build(valid, LatenessResult(late_status=LateStatus.NOT_APPLICABLE), at)
        lines.append(json_row(rows.columns, row))
    assert not client.insert_rows_json(dataset.table(family.table), lines)
