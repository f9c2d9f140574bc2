"""Pulls of a test, one after the other, as the pipeline's runs are."""

import dataclasses
import json

from pipeline.sources.postgres.engine import get_engine
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.postgres.mapping import default_mapping
from pipeline.sources.postgres.messages import RowMapper
from pipeline.sources.postgres.plan import begin, ranges
from pipeline.sources.postgres.read import read_range

ALL = frozenset({"exam_event", "session_change", "dimension_change"})


class Puller:
    """Pulls the database that DATABASE_URL names, and keeps the state as a finished run would."""

    def __init__(self, **options):
        self.engine = get_engine(None)
        options = {"mapping": default_mapping(), "families": ALL, "wait_seconds": 20} | options
        self.source = PostgresInput(env=None, **options)
        self.state = None
        self.last = None

    def begin(self, **options):
        source = dataclasses.replace(self.source, **options)
        self.last = begin(self.engine, source, self.state)
        return self.last

    def rows(self, *tables, **options):
        """One pull: its rows."""
        pull = self.begin(**options)
        source = dataclasses.replace(self.source, **options)
        rows = [
            row
            for name in tables or source.tables()
            for part in ranges(self.engine, source, pull, name)
            for row in read_range(self.engine, source, pull, part)
        ]
        self.state = pull.state or self.state
        return rows

    def keys(self, *tables, **options):
        """One pull: the keys of its rows, joined, sorted."""
        return sorted(",".join(row.key) for row in self.rows(*tables, **options))

    def payloads(self, *tables, **options):
        """One pull: its payloads, decoded."""
        rows = self.rows(*tables, **options)
        return [json.loads(event.payload) for row in rows for event in self.events(row)]

    def mapper(self, key=None):
        tables = {name: found.table for name, found in self.last.queries.tables.items()}
        return RowMapper(tables, self.source.families, self.source.mapping.time_zone, key)

    def events(self, row, key=None):
        return list(self.mapper(key).events(row, self.last.began))
