"""A fake of BigQuery's Storage Write API: the official service definition, in process.

bqemulator takes every row, at once, and never fails; the real service cannot be made to. This
one does as a script says, and checks what the emulator does not.
"""

import collections
import enum
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pyarrow as pa
from google.cloud.bigquery import SchemaField, Table
from google.cloud.bigquery_storage_v1.types import (
    AppendRowsRequest,
    AppendRowsResponse,
    RowError,
    StorageError,
    TableFieldSchema,
    TableSchema,
)
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status

MAX_REQUEST_BYTES = 10_000_000
COLUMNS = ("n", "kind", "extra")
N = SchemaField("n", "INT64", mode="REQUIRED")
KIND = SchemaField("kind", "STRING")
EXTRA = SchemaField("extra", "STRING")
_Code = StorageError.StorageErrorCode


class Fault(enum.Enum):
    """The outcome of the next request."""

    NONE = "written and acknowledged"
    ABORTED = grpc.StatusCode.ABORTED
    INTERNAL = grpc.StatusCode.INTERNAL
    RESOURCE_EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
    PERMISSION_DENIED = grpc.StatusCode.PERMISSION_DENIED
    NOT_FOUND = grpc.StatusCode.NOT_FOUND
    DEADLINE_EXCEEDED = grpc.StatusCode.DEADLINE_EXCEEDED
    UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
    FINALIZED = _Code.STREAM_FINALIZED
    EXTRA_FIELDS = _Code.SCHEMA_MISMATCH_EXTRA_FIELDS
    BROKEN = "the call ends, unavailable"
    BROKEN_AFTER_WRITE = "written, then the call ends, unavailable"
    BROKEN_FINALIZED = "the call ends, the stream being finalised"
    ENDED = "the call ends, without an error"
    HUNG = "never answered"
    UPDATED_SCHEMA = "written, and the table is said to have changed"


class FakeTable:
    """One table: its columns, what was written to it, and what is to go wrong.

    Rows with ``kind`` "bad" are reported as row errors; those with "poison" have the whole request
    refused; those with "deadly" end the call.
    """

    def __init__(self, fields):
        self.fields = fields
        self.faults = collections.deque()
        self.written = []
        self.requests = 0
        self.schemas = 0
        self.calls = 0
        self.closed_calls = 0

    def get_table(self, table_id, **_):
        return Table(table_id, self.fields)

    def close(self):
        pass


class FakeStorage:
    """The server; ``host`` is what BIGQUERY_STORAGE_EMULATOR_HOST should name."""

    def __init__(self):
        self.tables = {}
        self._lock = threading.Lock()
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=64),
            options=[("grpc.max_receive_message_length", 2 * MAX_REQUEST_BYTES)],
        )
        handler = grpc.stream_stream_rpc_method_handler(
            self._append_rows,
            request_deserializer=AppendRowsRequest.deserialize,
            response_serializer=AppendRowsResponse.serialize,
        )
        service = "google.cloud.bigquery.storage.v1.BigQueryWrite"
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(service, {"AppendRows": handler})]
        )
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self):
        self._server.stop(None).wait()

    def _append_rows(self, requests, context):
        table, schema = None, None
        cancelled = threading.Event()
        context.add_callback(cancelled.set)
        for request in requests:
            if table is None:
                table = self.tables[request.write_stream]
                with self._lock:
                    table.calls += 1
                routing = dict(context.invocation_metadata())["x-goog-request-params"]
                assert routing == f"write_stream={request.write_stream}"
            if request.arrow_rows.writer_schema.serialized_schema:
                schema = request.arrow_rows.writer_schema.serialized_schema
                table.schemas += 1
            assert AppendRowsRequest.pb(request).ByteSize() <= MAX_REQUEST_BYTES
            rows = _rows(schema, request.arrow_rows.rows.serialized_record_batch)
            with self._lock:
                table.requests += 1
                fault = table.faults.popleft() if table.faults else Fault.NONE
                response = _respond(table, rows, fault, context)
            if fault is Fault.HUNG:
                cancelled.wait()
            if response is None:
                return
            yield response
        if table is not None:
            table.closed_calls += 1


def _respond(table, rows, fault, context):
    if fault in (Fault.HUNG, Fault.ENDED):
        return None
    if fault is Fault.BROKEN:
        context.abort(grpc.StatusCode.UNAVAILABLE, "away")
    if fault is Fault.BROKEN_FINALIZED:
        context.abort_with_status(rpc_status.to_status(_storage_error(_Code.STREAM_FINALIZED)))
    if isinstance(fault.value, grpc.StatusCode):
        return AppendRowsResponse(error=status_pb2.Status(code=fault.value.value[0]))
    if isinstance(fault.value, _Code):
        return AppendRowsResponse(error=_storage_error(fault.value))
    known = {field.name for field in table.fields}
    if not known.issuperset(rows[0]):
        return AppendRowsResponse(error=_storage_error(_Code.SCHEMA_MISMATCH_EXTRA_FIELDS))
    invalid = status_pb2.Status(code=3, message="a row is not valid")
    kinds = [row["kind"] for row in rows]
    if "deadly" in kinds:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a row is deadly")
    if "poison" in kinds:
        return AppendRowsResponse(error=invalid)
    if "bad" in kinds:
        errors = [
            RowError(index=index, code=RowError.RowErrorCode.FIELDS_ERROR, message="bad kind")
            for index, kind in enumerate(kinds)
            if kind == "bad"
        ]
        return AppendRowsResponse(error=invalid, row_errors=errors)
    table.written += rows
    if fault is Fault.BROKEN_AFTER_WRITE:
        context.abort(grpc.StatusCode.UNAVAILABLE, "away")
    done = AppendRowsResponse(append_result={})
    if fault is Fault.UPDATED_SCHEMA:
        fields = [TableFieldSchema(name=field.name) for field in table.fields]
        done.updated_schema = TableSchema(fields=fields)
    return done


def _rows(schema, batch):
    return pa.ipc.open_stream(schema + batch).read_all().to_pylist()


def _storage_error(code):
    detail = any_pb2.Any()
    detail.Pack(StorageError.pb(StorageError(code=code)))
    return status_pb2.Status(code=3, message=code.name, details=[detail])


def rows(*kinds, first=0):
    """Rows of the table's columns, one for each kind, numbered from ``first``."""
    return [(first + n, kind, None) for n, kind in enumerate(kinds)]


def numbers(table):
    """The numbers of the rows that were written, in order."""
    return sorted(row["n"] for row in table.written)
