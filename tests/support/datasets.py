"""Datasets with tables and views, lent to one test after another: making them takes seconds."""

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from ddl.apply import apply
from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT
from schemas.family import EventFamily

_Made: TypeAlias = tuple[Dataset, dict[str, Any]]


class DatasetPool:
    """Datasets of one emulator, by the event families that they have."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, ...], list[_Made]] = {}

    @contextlib.contextmanager
    def lend(self, client: bigquery.Client, families: Sequence[EventFamily]) -> Iterator[Dataset]:
        """A dataset with all tables, empty, and views; another test gets it after that."""
        free = self._free.setdefault(tuple(family.name for family in families), [])
        dataset, made = _emptied(client, free) or _made(client, families)
        yield dataset
        free.append((dataset, made))


def _made(client: bigquery.Client, families: Sequence[EventFamily]) -> _Made:
    dataset = Dataset(PROJECT, f"test_{uuid.uuid4().hex}")
    apply(client, dataset, families=families)
    return dataset, _definitions(client, dataset)


def _emptied(client: bigquery.Client, free: list[_Made]) -> _Made | None:
    """One that is as it was made, without the rows of the last test, which is over by now."""
    while free:
        dataset, made = free.pop()
        if _definitions(client, dataset) == made:
            for table in made:
                client.query(f"DELETE FROM `{dataset.table(table)}` WHERE TRUE").result()
            return dataset, made
        client.delete_dataset(str(dataset), delete_contents=True, not_found_ok=True)
    return None


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
