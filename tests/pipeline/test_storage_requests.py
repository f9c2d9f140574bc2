"""How the Storage Write API's requests are cut, and what its errors say."""

import pyarrow as pa
import pytest
from google.api_core.exceptions import from_grpc_status
from google.cloud.bigquery_storage_v1.types import StorageError
from google.protobuf import any_pb2
from google.rpc import error_details_pb2

from pipeline.sinks.storage_write import writer
from pipeline.sinks.storage_write.writer import _Part, _storage_codes, _within_limit

CODE = StorageError.StorageErrorCode


def part(rows):
    batch = pa.RecordBatch.from_pydict({"text": ["x" * 1_000] * rows})
    return _Part(batch, list(range(7, 7 + rows)))


def size(rows):
    return pa.ipc.get_record_batch_size(part(rows).batch)


@pytest.mark.parametrize(
    ("rows", "limit", "expected"),
    [
        (1, 0, [1]),  # too large for a request, yet it cannot be cut
        (2, size(2) - 1, [1, 1]),
        (2, size(2), [2]),
        (8, size(8), [8]),
        (8, size(8) - 1, [4, 4]),
        (5, size(3), [2, 3]),
        (5, size(3) - 1, [2, 1, 2]),
        (3, 0, [1, 1, 1]),
    ],
)
def test_requests_are_halved_until_they_keep_below_the_limit(monkeypatch, rows, limit, expected):
    monkeypatch.setattr(writer, "_MAX_BATCH_BYTES", limit)
    parts = list(_within_limit(part(rows)))
    assert [len(cut.batch) for cut in parts] == expected
    assert [index for cut in parts for index in cut.indices] == list(range(7, 7 + rows))
    assert [len(cut.indices) for cut in parts] == expected


def packed(message):
    detail = any_pb2.Any()
    detail.Pack(message)
    return detail


def storage_error(code):
    return packed(StorageError.pb(StorageError(code=code)))


@pytest.mark.parametrize(
    ("details", "codes"),
    [
        ([], set()),
        ([storage_error(CODE.STREAM_FINALIZED)], {CODE.STREAM_FINALIZED}),
        ([packed(error_details_pb2.ErrorInfo(reason="r"))], set()),
        (["plain text", storage_error(CODE.TABLE_NOT_FOUND)], {CODE.TABLE_NOT_FOUND}),
        (
            [storage_error(CODE.TABLE_NOT_FOUND), storage_error(CODE.STREAM_NOT_FOUND)],
            {CODE.TABLE_NOT_FOUND, CODE.STREAM_NOT_FOUND},
        ),
    ],
)
def test_the_codes_of_an_error_are_those_of_its_storage_errors(details, codes):
    error = from_grpc_status(3, "a message", details=details)
    assert _storage_codes(error) == codes
