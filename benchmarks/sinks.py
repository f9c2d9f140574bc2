"""Storage Write API against streaming inserts: the same rows, the same emulator, by the clock.

The rows are appended as ``pipeline.sinks`` appends them. They are compared with the same rows by
``insert_rows_json`` with defaults: our streaming inserts set ``skipInvalidRows``, for which
bqemulator converts every row by itself. Billed bytes are computed by BigQuery's
rules (``benchmarks.harness.billing``), since no emulator bills.
"""

import datetime as dt
import statistics
from collections.abc import Callable, Sequence

from google.cloud import bigquery

from benchmarks.harness.billing import insert_all_bytes, row_bytes
from benchmarks.harness.measure import Figure, Timed, cpu_seconds, interleaved, wall_seconds
from benchmarks.harness.traffic import stream
from benchmarks.harness.warehouse import fresh_dataset, warehouse
from ddl import statements
from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT
from pipeline.sinks.insert_rows import InsertRowsWriter, json_row
from pipeline.sinks.row_writer import RowWriter
from pipeline.sinks.storage_write.writer import StorageWriter
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.message import Message
from transforms.decoding.decode import Decoder
from transforms.lateness.rule import judge
from transforms.rows import FactRows, Row, columns

_APPEND_ROWS = 500
_COLUMNS = columns(EXAM_EVENT)

Writer = Callable[[Dataset, str, tuple[str, ...]], RowWriter]


def run(quick: bool) -> list[Figure]:
    """Rows a second: larger is better; billed bytes: smaller is better."""
    count, rounds = (200, 1) if quick else (20_000, 5)
    rows = fact_rows(count)
    with warehouse() as client:
        taken = interleaved(
            {
                "storage": _timed(client, StorageWriter, rows),
                "inserts": _timed(client, InsertRowsWriter, rows),
                "plain": _plain(client, rows),
            },
            rounds,
        )
        work = interleaved(
            {
                "storage": _timed(client, StorageWriter, rows, cpu_seconds),
                "inserts": _timed(client, InsertRowsWriter, rows, cpu_seconds),
            },
            1,
        )
    sizes = row_sizes(rows)
    storage = statistics.mean(sizes)
    inserts = statistics.mean(map(insert_all_bytes, sizes))
    return [
        Figure(
            "sink_rows_ratio",
            taken.ratio("inserts", "storage"),
            "rows/s, Storage Write over streaming inserts",
            at_least=4,
        ),
        Figure(
            "sink_rows_vs_plain_inserts",
            taken.ratio("plain", "storage"),
            "rows/s, Storage Write over plain insert_rows_json",
        ),
        Figure(
            "sink_billed_bytes_ratio",
            storage / inserts,
            "billed bytes, Storage Write over streaming inserts",
            at_most=1 / 3,
        ),
        Figure("sink_storage_rows", count / taken.median("storage"), "Storage Write", "/s"),
        Figure("sink_inserts_rows", count / taken.median("inserts"), "streaming inserts", "/s"),
        Figure("sink_plain_rows", count / taken.median("plain"), "insert_rows_json", "/s"),
        *(
            Figure(
                f"sink_{name}_core_seconds",
                work.median(name) / count * 1e6,
                f"our side of {what}, a million rows",
                "s",
            )
            for name, what in (("storage", "Storage Write"), ("inserts", "streaming inserts"))
        ),
        Figure("billed_storage_mb", storage, "Storage Write, a million events", "MB"),
        Figure("billed_inserts_mb", inserts, "streaming inserts, a million events", "MB"),
    ]


def fact_rows(count: int) -> list[Row]:
    """Rows of events_fact as the pipeline makes them."""
    decode, rows = Decoder(EXAM_EVENT).decode, FactRows(EXAM_EVENT, "0.1.0")
    now = dt.datetime.now(dt.UTC)
    made = []
    for number, payload in enumerate(stream(count)):
        # Pub/Sub's ids have 16 or 17 digits.
        message_id = f"{10**16 + number}"
        message = Message(payload=payload, message_id=message_id, publish_time=now, source="")
        event, extra = decode(payload)
        accepted = EXAM_EVENT.valid_event(message=message, event=event, extra=extra)
        made.append(rows.build(accepted, judge(event), now))
    return made


def row_sizes(rows: Sequence[Row]) -> list[int]:
    """Bytes of each row by its data types."""
    table = statements.table(Dataset(PROJECT, "billing"), EXAM_EVENT.table)
    json_columns = {field.name for field in table.schema if field.field_type == "JSON"}
    return [row_bytes(_COLUMNS, row, json_columns) for row in rows]


def _timed(
    client: bigquery.Client,
    make: Writer,
    rows: Sequence[Row],
    seconds: Callable[[Callable[[], object]], float] = wall_seconds,
) -> Timed:
    def timed() -> float:
        writer = make(fresh_dataset(client), EXAM_EVENT.table, _COLUMNS)
        writer.open()
        try:
            return seconds(lambda: _write(writer, rows))
        finally:
            writer.close()

    return timed


def _plain(client: bigquery.Client, rows: Sequence[Row]) -> Timed:
    def timed() -> float:
        table = fresh_dataset(client).table(EXAM_EVENT.table)
        return wall_seconds(lambda: _insert(client, table, rows))

    return timed


def _insert(client: bigquery.Client, table: str, rows: Sequence[Row]) -> None:
    for first in range(0, len(rows), _APPEND_ROWS):
        batch = [json_row(_COLUMNS, row) for row in rows[first : first + _APPEND_ROWS]]
        if client.insert_rows_json(table, batch):
            raise AssertionError("a row of the benchmark was rejected")


def _write(writer: RowWriter, rows: Sequence[Row]) -> None:
    for first in range(0, len(rows), _APPEND_ROWS):
        writer.append(rows[first : first + _APPEND_ROWS])
    if writer.flush():
        raise AssertionError("a row of the benchmark was rejected")
