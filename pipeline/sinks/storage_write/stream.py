"""The schema of a table and a connection to it, shared by the writers of one process."""

import threading
from collections.abc import Sequence

import pyarrow as pa
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

from gcp.clients import storage_write_client
from gcp.dataset import Dataset
from pipeline.sinks.storage_write.connection import Append, Connection
from pipeline.sinks.table_schema import TableSchema

# The old direct runner tears its DoFns down after every bundle of ten messages: a connection stays
# open this long after its last writer, so that the next one can use it.
_LINGER_SECONDS = 10.0


class TableStream:
    """A table's default stream. Threads may share it; nothing is opened before the first use."""

    def __init__(self, dataset: Dataset, table: str, columns: Sequence[str]) -> None:
        self.table = TableSchema(dataset, table, columns)
        self._path = default_stream(dataset, table)
        self._lock = threading.RLock()
        self._client: BigQueryWriteClient | None = None
        self._connection: Connection | None = None
        self._writers = 0
        self._closing: threading.Timer | None = None

    def send(self, batch: pa.RecordBatch) -> Append:
        """Starts to append rows that were checked against the table.

        Raises:
            GoogleAPICallError: as for ``TableSchema``.
        """
        with self._lock:
            batch = self.table.fit(batch)
            if self._connection is not None and self._connection.schema != batch.schema:
                self.drop(self._connection)
            if self._connection is None or self._connection.ended:
                self._client = self._client or storage_write_client()
                self._connection = Connection(self._client, self._path, batch.schema)
            return self._connection.send(batch)

    def drop(
        self, connection: Connection, *, table_changed: bool = False, silent: bool = False
    ) -> None:
        """Makes later appends use another connection; appends in flight on this one are answered.

        Args:
            connection: the one that failed; nothing happens if it is no longer in use.
            table_changed: whether to read the table again, too.
            silent: whether nothing was received on it; the client's connection to BigQuery may
                be dead without noticing, and is closed.
        """
        with self._lock:
            if connection is not self._connection:
                return
            connection.half_close()
            self._connection = None
            if table_changed:
                self.table.forget()
            if silent and self._client is not None:
                self._client.transport.close()  # type: ignore[no-untyped-call]
                self._client = None

    def enter(self) -> None:
        """Registers a writer."""
        with self._lock:
            self._writers += 1
            if self._closing is not None:
                self._closing.cancel()
                self._closing = None

    def leave(self) -> None:
        """Unregisters a writer; the connection is closed a moment after the last one."""
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
            self._connection = self._client = None
            self.table.forget()
        if connection is not None:
            connection.close()
        if client is not None:
            client.transport.close()  # type: ignore[no-untyped-call]


def default_stream(dataset: Dataset, table: str) -> str:
    """The name of a table's default stream."""
    return f"projects/{dataset.project}/datasets/{dataset.name}/tables/{table}/streams/_default"


_streams: dict[tuple[Dataset, str, tuple[str, ...]], TableStream] = {}
_streams_lock = threading.Lock()


def shared_stream(dataset: Dataset, table: str, columns: tuple[str, ...]) -> TableStream:
    """The TableStream of this process. Beam's Shared would keep only the last table."""
    key = (dataset, table, columns)
    with _streams_lock:
        if key not in _streams:
            _streams[key] = TableStream(*key)
        return _streams[key]
