"""Looks the tables of a mapping up in the database."""

import dataclasses

from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy.engine import Connection

from pipeline.sources.postgres.engine import text_cursor
from pipeline.sources.postgres.input import SourceError
from pipeline.sources.postgres.mapping import SourceMapping, SourceTable
from pipeline.sources.postgres.queries import FoundTable

_TIMES = frozenset({"timestamp", "submit_time", "start_time", "expiry_time"})
_WITH_TIMES = frozenset({"answers", "submissions", "sessions"})
_HOW = "--source_mapping can name it or leave the table out"

_KIND = SQL("SELECT c.relkind FROM pg_class AS c WHERE c.oid = to_regclass({name})")
# Of a column of a domain, the type below it counts.
_COLUMNS = SQL("""
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
  CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END IN
    ('timestamp'::regtype, 'date'::regtype)
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass({name}) AND a.attnum > 0 AND NOT a.attisdropped""")


def find_tables(connection: Connection, mapping: SourceMapping) -> dict[str, FoundTable]:
    """The tables of a mapping, with those columns that exist.

    Raises:
        SourceError: a table, a required column or the time zone is missing.
    """
    return {
        name: _find(connection, name, table, mapping.time_zone)
        for name, table in mapping.tables.items()
    }


def _find(
    connection: Connection, name: str, table: SourceTable, time_zone: str | None
) -> FoundTable:
    where = Literal(Identifier(*table.name.split(".")).as_string(None))
    cursor = text_cursor(connection)
    kind = cursor.execute(_KIND.format(name=where)).fetchone()
    if kind is None:
        raise SourceError(f"the database has no table {table.name}: {_HOW}")
    if kind[0] not in ("r", "p"):
        raise SourceError(f"{table.name} is no table, and only a table knows what changed: {_HOW}")
    has = {row[0]: row[1:] for row in cursor.execute(_COLUMNS.format(name=where)).fetchall()}
    columns = {
        our: its for our, its in table.columns.items() if its in has or our not in table.optional
    }
    for column in (*table.key, *columns.values()):
        if column not in has:
            raise SourceError(f"table {table.name} has no column {column}: {_HOW}")
    for column in table.key:
        if has[column][1] != "t":
            raise SourceError(f"{table.name}.{column} may be null, so it is no key: {_HOW}")
    naive = frozenset(our for our, its in columns.items() if our in _TIMES and has[its][2] == "t")
    if naive and name in _WITH_TIMES and time_zone is None:
        column = columns[min(naive)]
        raise SourceError(f"{table.name}.{column} has no time zone: give --source_time_zone")
    return FoundTable(
        dataclasses.replace(table, columns=columns),
        tuple(has[column][0] for column in table.key),
        naive,
    )
