"""The script that people write first for one machine: pull, decode, insert, acknowledge.

One thread, a thousand messages at a time, rows that do not decode are dropped; none of our rules.
``python -m benchmarks.rivals.script SUBSCRIPTION PROJECT.DATASET`` runs until it is killed.
"""

import datetime as dt
import sys
from typing import Any

import orjson
from google.cloud.pubsub_v1 import SubscriberClient

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from schemas.exam_event.family import FAMILY as EXAM_EVENT

_PULL = 1_000
_INSERT = 500  # as BigQuery's documentation advises
_COLUMNS = EXAM_EVENT.event.__struct_fields__


def main(subscription: str, dataset: Dataset) -> None:
    """Moves messages to the fact table for as long as it is let."""
    client = bigquery_client(dataset.project)
    table = dataset.table(EXAM_EVENT.table)
    with SubscriberClient() as subscriber:
        while True:
            received = subscriber.pull(
                subscription=subscription, max_messages=_PULL, timeout=60
            ).received_messages
            rows = [row for one in received if (row := _row(one.message)) is not None]
            for first in range(0, len(rows), _INSERT):
                client.insert_rows_json(table, rows[first : first + _INSERT])
            if received:
                subscriber.acknowledge(
                    subscription=subscription, ack_ids=[one.ack_id for one in received]
                )


def _row(message: Any) -> dict[str, Any] | None:
    try:
        event = orjson.loads(message.data)
        row = {name: event.get(name) for name in _COLUMNS}
        row["event_date"] = event["client_ts"][:10]
    except (ValueError, KeyError, AttributeError):
        return None
    row["client_is_late_submission"] = row.pop("is_late_submission")
    row["error_payload"] = row["error_payload"] and orjson.dumps(row["error_payload"]).decode()
    return row | {
        "publish_ts": message.publish_time.isoformat(),
        "ingest_ts": dt.datetime.now(dt.UTC).isoformat(),
        "message_id": message.message_id,
        "late_status": "UNKNOWN",
        "pipeline_version": "script",
    }


if __name__ == "__main__":
    main(sys.argv[1], Dataset.parse(sys.argv[2]))
