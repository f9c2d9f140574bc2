"""Datasets with tables and views, lent to one test after another: making them takes seconds."""

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from ddl.apply import apply
from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT
from schemas.family import EventFamily


class DatasetPool:
    """Datasets of one emulator, by the event families that they have."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, ...], list[tuple[Dataset, dict[str, Any]]]] = {}

    @contextlib.contextmanager
    def lend(self, client: bigquery.Client, families: Sequence[EventFamily]) -> Iterator[Dataset]:
        """A dataset with all tables, empty, and views; it goes back unless a test changed them."""
        free = self._free.setdefault(tuple(family.name for family in families), [])
        if free:
            dataset, made = free.pop()
        else:
            dataset = Dataset(PROJECT, f"test_{uuid.uuid4().hex}")
            apply(client, dataset, families=families)
            made = _definitions(client, dataset)
        yield dataset
        if _definitions(client, dataset) == made:
            for table in made:
                client.query(f"DELETE FROM `{dataset.table(table)}` WHERE TRUE").result()
            free.append((dataset, made))
        else:
            client.delete_dataset(str(dataset), delete_contents=True, not_found_ok=True)


def _definitions(client: bigquery.Client, dataset: Dataset) -> dict[str, Any]:
    """What the tables are, without their rows, by their names."""
    try:
        tables = [item for item in client.list_tables(str(dataset)) if item.table_type == "TABLE"]
    except NotFound:
        return {}
    return {item.table_id: _lasting(client.get_table(item.reference)) for item in tables}


def _lasting(table: bigquery.Table) -> tuple[Any, ...]:
    clustering = tuple(table.clustering_fields or ())
    return (table.schema, table.time_partitioning, clustering, table.labels, table.description)
