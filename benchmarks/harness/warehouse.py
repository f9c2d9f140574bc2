"""An emulated warehouse for one run, and what stands in where none is wanted."""

import contextlib
import os
import uuid
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

from google.cloud import bigquery

from ddl import statements
from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT, bigquery_emulator
from pipeline import graph
from schemas.lateness import LatenessSettings
from schemas.tables import LATENESS_RULES
from transforms.row_checker import RejectedRow
from transforms.rows import Row

_ANY = Dataset(PROJECT, "any")


@contextlib.contextmanager
def warehouse() -> Iterator[bigquery.Client]:
    """A BigQuery emulator that the environment names while the block runs."""
    with bigquery_emulator() as emulator, mock.patch.dict(os.environ, emulator.environment):
        yield bigquery_client(PROJECT)


def fresh_dataset(client: bigquery.Client) -> Dataset:
    """A dataset with empty tables, so that no run pays for what another has written."""
    dataset = Dataset(PROJECT, f"benchmark_{uuid.uuid4().hex}")
    client.create_dataset(str(dataset))
    for table in statements.tables(dataset):
        client.create_table(table)
    for query in read_by(LATENESS_RULES, dataset=dataset):
        client.query(query.sql).result()
    return dataset


def read_by(*names: str, dataset: Dataset = _ANY) -> list[statements.Query]:
    """These views and functions, and those that they read, each after what it reads itself."""
    queries = statements.queries(dataset)
    wanted = set(names)
    for query in reversed(queries):
        if query.name in wanted:
            wanted |= query.reads
    return [query for query in queries if query.name in wanted]


class Discard:
    """A RowWriter that writes nothing: what is left is the pipeline's own work."""

    def __init__(
        self, dataset: Dataset, table: str, columns: tuple[str, ...], sent: str | None = None
    ) -> None:
        """Takes what every writer takes."""

    def open(self) -> None:
        """Nothing to open."""

    def append(self, rows: Sequence[Row]) -> None:
        """Forgets the rows."""

    def flush(self) -> list[RejectedRow]:
        """None are rejected."""
        return []

    def close(self) -> None:
        """Nothing to close."""


class NoSettings:
    """A SettingsSource without a table: every test as it is, no grace."""

    def open(self) -> None:
        """Nothing to read."""

    def current(self) -> LatenessSettings:
        """No settings."""
        return LatenessSettings()


@contextlib.contextmanager
def no_warehouse() -> Iterator[None]:
    """Graphs built inside write nowhere and read no settings."""
    writers: dict[Any, Any] = dict.fromkeys(graph.WRITERS, Discard)
    with (
        mock.patch.dict(graph.WRITERS, writers),
        mock.patch.object(graph, "SettingsTable", return_value=NoSettings()),
    ):
        yield
