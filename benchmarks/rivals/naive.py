"""The pipeline that people write first: json.loads, jsonschema, and WriteToBigQuery with defaults.

WriteToBigQuery uses streaming inserts for a stream; for a file it would use load jobs, which do not
suit a stream. Rows that do not fit the schema are dropped.
"""

import json
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import jsonschema
import msgspec
from apache_beam.io.gcp.bigquery import BigQueryDisposition, WriteToBigQuery
from google.cloud import bigquery

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from schemas.exam_event.family import FAMILY as EXAM_EVENT


class _Client:
    """The client that WriteToBigQuery takes for tests, which honours the emulator and pickles."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._client: bigquery.Client | None = None

    def insert_rows_json(self, *arguments: Any, **options: Any) -> Any:
        """As ``bigquery.Client``."""
        self._client = self._client or bigquery_client(self._project)
        return self._client.insert_rows_json(*arguments, **options)


class _ToRowFn(beam.DoFn):
    def setup(self) -> None:
        schema = msgspec.json.schema(EXAM_EVENT.event)
        schema["$defs"][EXAM_EVENT.event.__name__]["additionalProperties"] = True
        self._validator = jsonschema.Draft202012Validator(schema)

    def process(self, element: str) -> Iterator[dict[str, Any]]:
        event = json.loads(element)
        if not self._validator.is_valid(event):
            return
        row = {name: event.pop(name, None) for name in EXAM_EVENT.event.__struct_fields__}
        row["error_payload"] = row["error_payload"] and json.dumps(row["error_payload"])
        row["client_is_late_submission"] = row.pop("is_late_submission")
        yield row | {
            "extra": json.dumps(event) if event else None,
            "event_date": row["client_ts"][:10],
            "publish_ts": row["client_ts"],
            "ingest_ts": row["client_ts"],
            "message_id": row["event_id"],
            "late_status": "UNKNOWN",
            "pipeline_version": "naive",
        }


def build(pipeline: beam.Pipeline, path: str, dataset: Dataset) -> None:
    """Adds the data flow to a pipeline that reads a file of lines."""
    lines = pipeline | beam.io.ReadFromText(path)
    _ = (
        lines
        | beam.ParDo(_ToRowFn())
        | WriteToBigQuery(
            table=EXAM_EVENT.table,
            dataset=dataset.name,
            project=dataset.project,
            method=WriteToBigQuery.Method.STREAMING_INSERTS,
            create_disposition=BigQueryDisposition.CREATE_NEVER,
            test_client=_Client(dataset.project),
        )
    )
