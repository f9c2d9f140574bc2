"""Rows that the warehouse has and a pulled database has no more."""

import datetime as dt
from array import array
from collections.abc import Iterator, Mapping, Sequence

from google.cloud import bigquery
from sqlalchemy.engine import Engine

from gcp.dataset import Dataset
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.postgres.keys import count_deleted, read_keys
from pipeline.sources.postgres.mapping import DIMENSIONS
from pipeline.sources.postgres.messages import (
    DIMENSION_CHANGE,
    EXAM_EVENT,
    SESSION_CHANGE,
    RowMapper,
    SourceEvent,
)
from pipeline.sources.postgres.plan import Pull
from schemas.families import FAMILIES
from transforms.pseudonyms import PseudonymChain

_DIGITS = 16
# Which events have the key of a row in their event_id, and behind which word.
_EVENTS_OF = {
    "answers": ((EXAM_EVENT, "answers"),),
    "submissions": ((EXAM_EVENT, "submissions"),),
    "sessions": ((EXAM_EVENT, "sessions"), (SESSION_CHANGE, "session_changes")),
}


class DeletedRows:
    """Looks for them; each table is read in the warehouse first, so that a new row is none."""

    def __init__(
        self,
        client: bigquery.Client,
        dataset: Dataset,
        engine: Engine,
        source: PostgresInput,
        pull: Pull,
        chain: PseudonymChain | None,
    ) -> None:
        """Takes the warehouse, the database, and the keys of pseudonyms."""
        self._client, self._dataset = client, dataset
        self._engine, self._source, self._pull = engine, source, pull
        self._chain = chain
        tables = {name: found.table for name, found in pull.queries.tables.items()}
        key = None if chain is None else chain.identity_key
        self._mapper = RowMapper(tables, source.families, source.mapping.time_zone, key)

    def dimensions(
        self, transaction: str, deleted_at: dt.datetime
    ) -> Iterator[tuple[str, SourceEvent]]:
        """The tables of dimensions, and the event of each deleted row.

        Args:
            transaction: stands for the one that deleted the row.
            deleted_at: stands for the time.
        """
        if DIMENSION_CHANGE not in self._source.families:
            return
        known = self._dimension_keys()
        for name in (name for name in self._source.tables() if name in DIMENSIONS):
            there = set(read_keys(self._engine, self._source, self._pull, name))
            stored = known.get(DIMENSIONS[name], set())
            if self._chain is not None and _is_of_persons(DIMENSIONS[name]):
                there = {self._chain.pseudonym(key) for key in there}
                stored = {self._chain.pseudonym(key) for key in stored}
            for key in sorted(stored - there):
                yield name, self._mapper.dimension_delete(name, key, transaction, deleted_at)

    def facts(self) -> dict[str, int]:
        """How many rows of answers, submissions and sessions are deleted, if any of a table."""
        counts = {}
        for name in (name for name in self._source.tables() if name in _EVENTS_OF):
            known = self._known_digests(name)
            counts[name] = count_deleted(
                self._engine,
                self._source,
                self._pull,
                name,
                known,
                lambda key: int(self._mapper.k(key), 16),
            )
        return {name: count for name, count in counts.items() if count}

    def _known_digests(self, name: str) -> Sequence[int]:
        parts = [
            f"SELECT SUBSTR(event_id, {len(word) + 2}, {_DIGITS}) AS k "  # noqa: S608 - our own names
            f"FROM `{self._dataset.table(FAMILIES[family].table)}` "
            f"WHERE STARTS_WITH(event_id, '{word}:')"
            for family, word in _EVENTS_OF[name]
            if family in self._source.families
        ]
        sql = f"SELECT DISTINCT k FROM ({' UNION ALL '.join(parts)}) ORDER BY k"  # noqa: S608
        # Lower-case digits of one length: their order is that of the numbers.
        return array("Q", (int(row["k"], _DIGITS) for row in self._client.query(sql).result()))

    def _dimension_keys(self) -> Mapping[str, set[str]]:
        """The keys of each dimension that the warehouse has, deleted ones left out."""
        sql = (
            f"SELECT dimension, key FROM `{self._dataset.table('dimension_versions')}` "  # noqa: S608
            "WHERE TRUE QUALIFY NOT is_deleted AND "
            "ROW_NUMBER() OVER (PARTITION BY dimension, key ORDER BY version_ts DESC) = 1"
        )
        keys: dict[str, set[str]] = {}
        for row in self._client.query(sql).result():
            keys.setdefault(row["dimension"], set()).add(row["key"])
        return keys


def _is_of_persons(dimension: str) -> bool:
    only_if = FAMILIES[DIMENSION_CHANGE].contract["key"].private_if
    return only_if is not None and dimension in only_if[1]
