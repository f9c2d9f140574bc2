"""Clients for BigQuery, or for the emulators that environment variables name."""

import functools
import os
from typing import Any

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcTransport,
)

EMULATOR_VARIABLE = "BIGQUERY_EMULATOR_HOST"
STORAGE_EMULATOR_VARIABLE = "BIGQUERY_STORAGE_EMULATOR_HOST"
PUBSUB_VARIABLE = "PUBSUB_EMULATOR_HOST"  # which the client itself reads

# gRPC shares connections among channels: a connection that no longer answers would outlive the
# client that is closed to replace it.
_OWN_CONNECTION = ("grpc.use_local_subchannel_pool", 1)


def bigquery_client(project: str) -> bigquery.Client:
    """A client for BigQuery, or for the emulator that BIGQUERY_EMULATOR_HOST names."""
    host = os.environ.get(EMULATOR_VARIABLE)
    if not host:
        return bigquery.Client(project=project)
    return bigquery.Client(
        project=project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": host if "://" in host else f"http://{host}"},
    )


def storage_write_client() -> BigQueryWriteClient:
    """A client for the Storage Write API, or for the emulator's (HOST:PORT, gRPC).

    Raises:
        ValueError: the environment names an emulator's REST API and not its gRPC: rows meant for
            an emulator must not reach BigQuery.
    """
    host = os.environ.get(STORAGE_EMULATOR_VARIABLE)
    if host:
        channel = grpc.insecure_channel(host, [("grpc.enable_http_proxy", 0), _OWN_CONNECTION])
        transport = BigQueryWriteGrpcTransport(channel=channel)
        return BigQueryWriteClient(transport=transport)  # type: ignore[no-untyped-call]
    if os.environ.get(EMULATOR_VARIABLE):
        raise ValueError(
            f"{EMULATOR_VARIABLE} is set: set {STORAGE_EMULATOR_VARIABLE} too, to HOST:PORT of "
            "the emulator's gRPC"
        )
    service = functools.partial(BigQueryWriteGrpcTransport, channel=_channel)
    return BigQueryWriteClient(transport=service)  # type: ignore[no-untyped-call]


def _channel(host: str, *, options: list[tuple[str, int]], **arguments: Any) -> grpc.Channel:
    return BigQueryWriteGrpcTransport.create_channel(
        host, options=[*options, _OWN_CONNECTION], **arguments
    )
