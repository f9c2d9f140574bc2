"""Where rows and dead letters go: BigQuery by streaming inserts, and the dead-letter topic."""

import logging
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import objsize
from apache_beam.io.gcp.bigquery import BigQueryDisposition, WriteToBigQuery
from apache_beam.io.gcp.bigquery_tools import RetryStrategy
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery, pubsub_v1
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1.types import PubsubMessage

from pipeline.outages import send_in_halves, wait_out_outages
from schemas.message import DeadLetter
from schemas.warehouse import Dataset, bigquery_client
from transforms import metrics
from transforms.dead_letters import MAX_MESSAGE_BYTES, RowErrors, first_error, to_pubsub

_LOG = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 60.0
_MAX_PUBLISH_MESSAGES = 1_000
_NO_RETRY: Any = None  # ours is around the call

Row = dict[str, Any]
InsertErrors = list[dict[str, Any]]


class InsertRows(beam.PTransform):
    """Row -> the rows that BigQuery refused: (table, row, errors).

    Beam's own sink, with a client of ours that opens on the worker, honours the emulator and
    waits out outages, so that only rows which are themselves at fault come back.
    """

    def __init__(self, dataset: Dataset, table: str, written: str) -> None:
        """Takes the table's name, and the name of the counter of its rows."""
        super().__init__()
        self._dataset = dataset
        self._table = table
        self._client = InsertClient(dataset.project, written)

    def expand(self, input_or_inputs: beam.PCollection[Row]) -> beam.PCollection[Any]:
        """Wires the step."""
        result = input_or_inputs | WriteToBigQuery(
            table=self._table,
            dataset=self._dataset.name,
            project=self._dataset.project,
            method=WriteToBigQuery.Method.STREAMING_INSERTS,
            create_disposition=BigQueryDisposition.CREATE_NEVER,
            insert_retry_strategy=RetryStrategy.RETRY_ON_TRANSIENT_ERROR,
            test_client=self._client,
        )
        return result.failed_rows_with_errors


class InsertClient:
    """The part of ``bigquery.Client`` that Beam's sink calls, made to travel to a worker."""

    def __init__(self, project: str, written: str) -> None:
        self._project = project
        self._written = metrics.counter(written)
        self._client: bigquery.Client | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_client": None}

    def insert_rows_json(
        self, table: str, json_rows: Sequence[Row], row_ids: Sequence[str], **_: Any
    ) -> InsertErrors:
        """Inserts rows.

        Returns:
            BigQuery's errors: an ``index`` and its ``errors`` for each row that was refused.
        """

        def send(rows: Sequence[tuple[Row, str]]) -> InsertErrors:
            refused = wait_out_outages("BigQuery")(self._call)(
                table,
                [row for row, _ in rows],
                row_ids=[row_id for _, row_id in rows],
                retry=_NO_RETRY,
                skip_invalid_rows=True,
                timeout=_TIMEOUT_SECONDS,
            )
            return list(refused)

        errors: InsertErrors = []
        for offset, reply in send_in_halves(send, list(zip(json_rows, row_ids, strict=True))):
            if isinstance(reply, GoogleAPICallError):
                reason = {"reason": "invalid", "message": reply.message}
                errors.append({"index": offset, "errors": [reason]})
            else:
                errors.extend(entry | {"index": entry["index"] + offset} for entry in reply)
        self._written.inc(len(json_rows) - len(errors))
        return errors

    def _call(self, *arguments: Any, **options: Any) -> Any:
        # Opening asks for credentials, which an outage can refuse too.
        return self._open().insert_rows_json(*arguments, **options)

    def _open(self) -> bigquery.Client:
        if self._client is None:
            self._client = bigquery_client(self._project)
            # Beam's sink logs what BigQuery says of a row, which quotes its values.
            logging.getLogger("apache_beam.io.gcp.bigquery").setLevel(logging.CRITICAL)
            # It also measures each row with objsize, which looks at the globals of every loaded
            # module first: 0.6 ms a row, to leave out what no row refers to.
            objsize.default_settings.update(exclude_modules_globals=False)
        return self._client


class CountRefused(beam.PTransform):
    """Tells of dead letters that BigQuery refuses; the topic has them, where there is one."""

    def expand(self, input_or_inputs: beam.PCollection[Any]) -> beam.PCollection[Any]:
        """Wires the step."""
        return input_or_inputs | beam.ParDo(_CountRefusedFn())


class PublishDeadLetters(beam.PTransform):
    """DeadLetter -> the dead-letter topic; a bundle is done when Pub/Sub has all of its letters."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._topic = topic

    def expand(self, input_or_inputs: beam.PCollection[DeadLetter]) -> beam.PCollection[Any]:
        """Wires the step."""
        return input_or_inputs | beam.ParDo(_PublishFn(self._topic))


class _CountRefusedFn(beam.DoFn):
    def __init__(self) -> None:
        self._refused = metrics.counter(metrics.DEAD_LETTER_ROWS_REFUSED)

    def process(self, element: tuple[str, Row, RowErrors]) -> None:
        _, row, errors = element
        reason = first_error(errors).get("reason")
        _LOG.error("BigQuery refuses a dead letter (%s): %s", row["error_kind"], reason)
        self._refused.inc()


class _PublishFn(beam.DoFn):
    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._published = metrics.counter(metrics.DEAD_LETTERS_PUBLISHED)
        self._refused = metrics.counter(metrics.DEAD_LETTER_MESSAGES_REFUSED)

    def setup(self) -> None:
        self._client = pubsub_v1.PublisherClient()

    def start_bundle(self) -> None:
        self._pending: list[PubsubMessage] = []
        self._pending_bytes = 0

    def process(self, element: DeadLetter) -> None:
        data, attributes = to_pubsub(element)
        message = PubsubMessage(data=data, attributes=attributes)
        size = PubsubMessage.pb(message).ByteSize()
        if (
            len(self._pending) == _MAX_PUBLISH_MESSAGES
            or self._pending_bytes + size > MAX_MESSAGE_BYTES // 2
        ):
            self._flush()
        self._pending.append(message)
        self._pending_bytes += size

    def finish_bundle(self) -> None:
        self._flush()

    def teardown(self) -> None:
        self._client.stop()

    def _flush(self) -> None:
        if not self._pending:
            return
        for _, reply in send_in_halves(self._send, self._pending):
            if isinstance(reply, GoogleAPICallError):
                # The table has it; the topic will not take it, whatever we do.
                _LOG.error("Pub/Sub refuses a dead letter: %s", type(reply).__name__)
                self._refused.inc()
            else:
                self._published.inc(reply)
        self.start_bundle()

    def _send(self, messages: Sequence[PubsubMessage]) -> int:
        # The request itself rather than the client's publish(), which takes attributes as
        # keywords and so has no room for those named data, topic, retry or timeout.
        wait_out_outages("Pub/Sub")(PublisherApi.publish)(
            self._client,
            topic=self._topic,
            messages=list(messages),
            retry=_NO_RETRY,
            timeout=_TIMEOUT_SECONDS,
        )
        return len(messages)
