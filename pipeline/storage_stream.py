"""What the writers of one process share for a table: its schema and a connection to it."""

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from google.api_core.exceptions import NotFound
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

from pipeline.storage_connection import Append, Connection
from schemas.warehouse import Dataset, bigquery_client, storage_write_client
from transforms.rows import Row
from transforms.table_rows import Checked, MissingColumnError, TableRows

_TIMEOUT_SECONDS = 60.0
_NO_RETRY: Any = None  # ours is around the call
# The old direct runner tears its DoFns down after every bundle of ten messages: a connection
# outlives its last writer by this much, for the next one to find.
_LINGER_SECONDS = 10.0


class TableStream:
    """A table's default stream. Threads may share it; nothing is opened before it is used."""

    def __init__(self, dataset: Dataset, table: str, columns: Sequence[str]) -> None:
        self._dataset = dataset
        self._name = table
        self._path = (
            f"projects/{dataset.project}/datasets/{dataset.name}/tables/{table}/streams/_default"
        )
        self._columns = columns
        self._lock = threading.RLock()
        self._client: BigQueryWriteClient | None = None
        self._table: TableRows | None = None
        self._connection: Connection | None = None
        self._writers = 0
        self._closing: threading.Timer | None = None

    def check(self, rows: Sequence[Row]) -> Checked:
        """Parts the rows that the table takes from the others.

        Raises:
            GoogleAPICallError: the table cannot be read, does not exist, or lacks a column.
        """
        with self._expect_columns():
            return self.table().check(rows, dt.datetime.now(dt.UTC))

    def send(self, batch: pa.RecordBatch) -> Append:
        """Begins to append rows that were checked.

        Raises:
            GoogleAPICallError: as for ``check``.
        """
        with self._lock:
            with self._expect_columns():
                batch = self.table().fit(batch)
            if self._connection is not None and self._connection.schema != batch.schema:
                self.drop(self._connection)
            if self._connection is None or self._connection.ended:
                self._client = self._client or storage_write_client()
                self._connection = Connection(self._client, self._path, batch.schema)
            return self._connection.send(batch)

    def table(self) -> TableRows:
        """The table as it is, read where it is not known.

        Raises:
            GoogleAPICallError: it cannot be read, or does not exist.
        """
        with self._lock:
            if self._table is None:
                with contextlib.closing(bigquery_client(self._dataset.project)) as client:
                    table = client.get_table(
                        self._dataset.table(self._name), retry=_NO_RETRY, timeout=_TIMEOUT_SECONDS
                    )
                self._table = TableRows(table, self._columns)
            return self._table

    @contextlib.contextmanager
    def _expect_columns(self) -> Iterator[None]:
        try:
            yield
        except MissingColumnError as error:
            # As with a missing table: nobody's row is at fault, and somebody will add it.
            self._table = None
            raise NotFound(str(error)) from None  # type: ignore[no-untyped-call]

    def drop(self, connection: Connection, *, table_changed: bool = False) -> None:
        """Has later appends use another connection; what is under way on this one is answered.

        Args:
            connection: the one that a response spoke of; nothing happens where it is not in use.
            table_changed: the table is read again, too.
        """
        with self._lock:
            if connection is not self._connection:
                return
            connection.half_close()
            self._connection = None
            if table_changed:
                self._table = None

    def enter(self) -> None:
        """Counts a writer in."""
        with self._lock:
            self._writers += 1
            if self._closing is not None:
                self._closing.cancel()
                self._closing = None

    def leave(self) -> None:
        """Counts a writer out; the last one closes the connection, a moment later."""
        with self._lock:
            self._writers -= 1
            if self._writers == 0:
                self._closing = threading.Timer(_LINGER_SECONDS, self._close)
                self._closing.daemon = True
                self._closing.start()

    def _close(self) -> None:
        with self._lock:
            if self._writers:
                return
            connection, client = self._connection, self._client
            self._connection = self._client = self._table = None
        if connection is not None:
            connection.close()
        if client is not None:
            client.transport.close()  # type: ignore[no-untyped-call]


_streams: dict[tuple[Dataset, str, tuple[str, ...]], TableStream] = {}
_streams_lock = threading.Lock()


def shared_stream(dataset: Dataset, table: str, columns: tuple[str, ...]) -> TableStream:
    """The one of this process. Beam's Shared would keep only the table that was asked for last."""
    key = (dataset, table, columns)
    with _streams_lock:
        if key not in _streams:
            _streams[key] = TableStream(*key)
        return _streams[key]
