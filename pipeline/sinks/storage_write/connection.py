"""One AppendRows call of BigQuery's Storage Write API, with several appends in flight."""

import collections
import dataclasses
import queue
import threading
import time
from typing import Any

import grpc
import pyarrow as pa
from google.api_core.exceptions import (
    Cancelled,
    DeadlineExceeded,
    GoogleAPICallError,
    ServiceUnavailable,
    from_grpc_error,
)
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.types import AppendRowsRequest, AppendRowsResponse

from gcp.retry import is_request_at_fault

MAX_REQUEST_BYTES = 10_000_000
# Limits of what is in flight before a sender waits.
MAX_PENDING = 100
MAX_PENDING_BYTES = 40_000_000
# How long BigQuery may take to answer while an append is in flight.
RESPONSE_SECONDS = 60.0
_CLOSE_SECONDS = 5.0


class NotReachedError(Exception):
    """The call ended before BigQuery processed an append: send it again."""


class Connection:
    """Appends of one schema to one table's default stream. Threads may share it.

    BigQuery answers in the order of the requests, one response each. When the call ends for
    any reason, unanswered appends fail, and the connection cannot be used again.
    """

    def __init__(self, client: BigQueryWriteClient, stream: str, schema: pa.Schema) -> None:
        """Opens the call; only the first response shows that BigQuery can be reached.

        Args:
            client: whose channel is used.
            stream: ``projects/P/datasets/D/tables/T/streams/_default``.
            schema: of all batches that will be sent.
        """
        self.schema = schema
        self._stream = stream
        self._requests: queue.SimpleQueue[AppendRowsRequest | None] = queue.SimpleQueue()
        self._pending: collections.deque[Append] = collections.deque()
        self._pending_bytes = 0
        self._changed = threading.Condition()
        self._error: GoogleAPICallError | None = None
        self._heard = 0.0
        # The transport's own callable: the client's append_rows would wait for the first response,
        # and retry a call whose requests are already consumed.
        append_rows: Any = client.transport.append_rows
        self._call = append_rows(
            iter(self._requests.get, None),
            metadata=[("x-goog-request-params", f"write_stream={stream}")],
        )
        self._first = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        """Whether the connection accepts no more appends."""
        return self._error is not None

    def send(self, batch: pa.RecordBatch) -> "Append":
        """Starts an append; waits while too much is in flight."""
        rows = batch.serialize().to_pybytes()
        append = Append(self, len(rows))
        with self._changed:
            while self._error is None and self._is_full(append.size):
                self._await_response()
            if self._error is not None:
                append.outcome = NotReachedError()
                return append
            if not self._pending:
                self._heard = time.monotonic()
            self._pending.append(append)
            self._pending_bytes += append.size
            self._requests.put(self._request(rows))
        return append

    def wait(self, append: "Append") -> AppendRowsResponse:
        """BigQuery's response to an append, which may contain an error.

        Raises:
            GoogleAPICallError: the call ended at this append, or by an outage. It is unknown
                whether the rows are written.
            NotReachedError: the call ended at an append before this one.
        """
        with self._changed:
            while append.outcome is None:
                self._await_response()
        if isinstance(append.outcome, Exception):
            raise append.outcome
        return append.outcome

    def half_close(self) -> None:
        """Ends the requests; appends in flight are still answered."""
        self._requests.put(None)

    def close(self) -> None:
        """Half-closes and waits for the end."""
        self.half_close()
        self._reader.join(_CLOSE_SECONDS)
        with self._changed:
            self._end(Cancelled("closed"))  # type: ignore[no-untyped-call]

    def _request(self, rows: bytes) -> AppendRowsRequest:
        arrow: dict[str, Any] = {"rows": {"serialized_record_batch": rows}}
        if self._first:
            arrow["writer_schema"] = {"serialized_schema": self.schema.serialize().to_pybytes()}
            self._first = False
        # BigQuery needs the stream's name in the first request only, its emulator in each.
        return AppendRowsRequest(write_stream=self._stream, arrow_rows=arrow)

    def _is_full(self, size: int) -> bool:
        return len(self._pending) >= MAX_PENDING or (
            len(self._pending) > 0 and self._pending_bytes + size > MAX_PENDING_BYTES
        )

    def _await_response(self) -> None:
        left = self._heard + RESPONSE_SECONDS - time.monotonic()
        if left > 0:
            self._changed.wait(left)
        else:
            text = f"BigQuery has not answered for {RESPONSE_SECONDS:.0f} s"
            self._end(DeadlineExceeded(text))  # type: ignore[no-untyped-call]

    def _read(self) -> None:
        error: GoogleAPICallError
        try:
            for response in self._call:
                with self._changed:
                    if self._pending:
                        append = self._pending.popleft()
                        append.outcome = response
                        self._pending_bytes -= append.size
                    self._heard = time.monotonic()
                    self._changed.notify_all()
            error = ServiceUnavailable("the call ended")  # type: ignore[no-untyped-call]
        except grpc.RpcError as raised:
            error = from_grpc_error(raised)  # type: ignore[no-untyped-call]
        with self._changed:
            self._end(error)

    def _end(self, error: GoogleAPICallError) -> None:
        if self._error is not None:
            return
        self._error = error
        if self._pending:
            # A call that ends with an error ends at the first request that was not answered.
            self._pending.popleft().outcome = error
        for append in self._pending:
            append.outcome = NotReachedError() if is_request_at_fault(error) else error
        self._pending.clear()
        self._pending_bytes = 0
        self._requests.put(None)  # releases the thread in which gRPC waits for requests
        self._call.cancel()
        self._changed.notify_all()


@dataclasses.dataclass(eq=False)
class Append:
    """One batch in flight.

    Attributes:
        connection: the one that it was sent on.
        size: bytes of its rows.
        outcome: the response or the error; None until there is one.
    """

    connection: Connection
    size: int
    outcome: AppendRowsResponse | GoogleAPICallError | NotReachedError | None = None

    def result(self) -> AppendRowsResponse:
        """See ``Connection.wait``."""
        return self.connection.wait(self)
