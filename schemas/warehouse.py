"""Where the tables live: validated names, and the client that reaches them."""

import dataclasses
import functools
import os
import re
import string
from importlib import resources
from typing import Any, Self

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcTransport,
)

EMULATOR_VARIABLE = "BIGQUERY_EMULATOR_HOST"
STORAGE_EMULATOR_VARIABLE = "BIGQUERY_STORAGE_EMULATOR_HOST"

# gRPC shares connections among channels: one that fell silent would outlive the client that is
# closed to be rid of it.
_OWN_CONNECTION = ("grpc.use_local_subchannel_pool", 1)

# Google Cloud's rules for project ids and datasets, within the length that Beam takes. A dot may
# stand only in the domain that older projects have before their id (example.com:project).
_DATASET = re.compile(
    r"(?=.{6,63}\.[^.]*$)((?:[a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]*[a-z0-9])\.([A-Za-z0-9_]{1,1024})",
    re.ASCII,
)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A BigQuery dataset whose name is safe to stand in SQL."""

    project: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Takes ``PROJECT.DATASET``.

        Raises:
            ValueError: the text is not of that form; one line that says what is expected.
        """
        match = _DATASET.fullmatch(text)
        if match is None:
            raise ValueError(
                "the dataset must be PROJECT.DATASET: a project id of 6 to 63 lower-case letters, "
                "digits and hyphens, and a dataset of letters, digits and underscores"
            )
        return cls(*match.groups())

    def __str__(self) -> str:
        return f"{self.project}.{self.name}"

    def table(self, name: str) -> str:
        """The full id ``PROJECT.DATASET.name``."""
        return f"{self}.{name}"

    def statement(self, package: str, path: str) -> str:
        """A package's SQL file with ``${project}`` and ``${dataset}`` filled in."""
        return _template(package, path).substitute(project=self.project, dataset=self.name)


@functools.cache
def _template(package: str, path: str) -> string.Template:
    return string.Template(resources.files(package).joinpath(path).read_text(encoding="utf-8"))


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
