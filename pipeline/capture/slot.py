"""The replication slot, and the publication that says which tables it has changes of."""

import dataclasses
import logging
from collections.abc import Generator, Mapping
from typing import TypeAlias

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from sqlalchemy.engine import Connection, Engine

from pipeline.sources.postgres.engine import snapshot, text_cursor
from pipeline.sources.postgres.input import SourceError
from pipeline.sources.postgres.queries import FoundTable

_LOG = logging.getLogger(__name__)
_FETCHED = 1_000
TableId: TypeAlias = int | tuple[str, str]
_CURSOR = "exam_events_capture"
_SLOT = SQL("""
SELECT plugin, database = current_database(), coalesce(wal_status, '')
FROM pg_replication_slots WHERE slot_name = {}""")
_PUBLICATION = SQL("""
SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate
FROM pg_publication WHERE pubname = {}""")
_PUBLISHED = SQL("SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = {}")
_TABLE = SQL("""
SELECT n.nspname, c.relname, c.oid,
  c.relreplident IN ('f', 'i') OR (c.relreplident = 'd' AND EXISTS (
    SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass({})""")
_PEEK = SQL("""
SELECT data FROM pg_logical_slot_peek_binary_changes(
  {slot}, {up_to}, {changes}, 'proto_version', '1', 'publication_names', {publication})""")
_ADVANCE = SQL("""
SELECT pg_replication_slot_advance(slot_name, {up_to})
FROM pg_replication_slots WHERE slot_name = {slot} AND confirmed_flush_lsn < {up_to}""")
_RETAINED = SQL("""
SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots WHERE slot_name = {}""")


@dataclasses.dataclass(frozen=True)
class Slot:
    """A replication slot and its publication, by their names."""

    name: str
    publication: str

    def prepare(
        self, engine: Engine, tables: Mapping[str, FoundTable], published: tuple[str, ...]
    ) -> dict[TableId, str]:
        """Checks both; makes both where neither exists.

        A slot alone is never made: changes since an earlier one was dropped would be missing, and
        nobody would know.

        Args:
            engine: of the database.
            tables: all that are read.
            published: documented names of those whose changes are wanted.

        Returns:
            The documented name of each of these, by its schema and name and by its oid: rows from
            before it was renamed come under its old name, those from before it was replaced under
            its old oid.

        Raises:
            SourceError: one of them cannot be used or made.
        """
        with engine.connect() as opened:
            connection = opened.execution_options(isolation_level="AUTOCOMMIT")
            _check_server(connection)
            ids: dict[TableId, str] = {}
            names: dict[tuple[str, str], str] = {}
            for table in published:
                name, oid = _identity(connection, tables[table])
                names[name] = ids[name] = ids[oid] = table
            slot = _one(connection, _SLOT.format(Literal(self.name)))
            if _one(connection, _PUBLICATION.format(Literal(self.publication))) is None:
                if slot is not None:
                    raise SourceError(
                        f"publication {self.publication} does not exist, and slot {self.name} "
                        "can read nothing from before it is made: drop the slot by SELECT "
                        f"pg_drop_replication_slot('{self.name}'), start this again, and pull "
                        "with --full"
                    )
                self._create(connection, names)
            elif slot is None:
                raise self.gone()
            else:
                self._check_slot(slot)
            self._check_publication(connection, names)
            return ids

    def gone(self) -> SourceError:
        """The error of a slot that does not exist."""
        return SourceError(
            f"replication slot {self.name} does not exist, and changes since it was dropped are "
            "not captured: make it by SELECT pg_create_logical_replication_slot("
            f"'{self.name}', 'pgoutput'), start this again, and pull with --full"
        )

    def peek(self, engine: Engine, up_to: str, changes: int) -> Generator[bytes]:
        """The messages of all transactions committed before an LSN; the slot stays where it is.

        Args:
            engine: of the database.
            up_to: the LSN.
            changes: after so many messages, no further transaction is begun.
        """
        statement = _PEEK.format(
            slot=Literal(self.name),
            up_to=Literal(up_to),
            changes=Literal(changes),
            publication=Literal(Identifier(self.publication).as_string(None)),
        )
        with snapshot(engine) as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            with _driver(connection).cursor(_CURSOR, binary=True) as cursor:
                cursor.execute(statement)
                while rows := cursor.fetchmany(_FETCHED):
                    for [data] in rows:
                        yield data

    def advance(self, engine: Engine, up_to: str) -> None:
        """Gives up everything before an LSN; does nothing where it is given up already."""
        statement = _ADVANCE.format(slot=Literal(self.name), up_to=Literal(up_to))
        with engine.connect() as opened:
            connection = opened.execution_options(isolation_level="AUTOCOMMIT")
            _driver(connection).execute(statement)

    def retained_bytes(self, engine: Engine) -> int | None:
        """How much WAL the server keeps for the slot; None where there is no slot."""
        with engine.connect() as opened:
            connection = opened.execution_options(isolation_level="AUTOCOMMIT")
            found = _one(connection, _RETAINED.format(Literal(self.name)))
            return int(found[0]) if found and found[0] is not None else None

    def _create(self, connection: Connection, names: Mapping[tuple[str, str], str]) -> None:
        statement = SQL(
            "CREATE PUBLICATION {} FOR TABLE {} WITH (publish_via_partition_root = true)"
        ).format(Identifier(self.publication), _list_of(names))
        try:
            _driver(connection).execute(statement)
        except errors.InsufficientPrivilege:
            raise SourceError(
                f"publication {self.publication} does not exist, and this user may not make it: "
                f"run as the owner of the tables: {statement.as_string(None)}"
            ) from None
        _LOG.info("made publication %s; the slot waits for open transactions", self.publication)
        _driver(connection).execute(
            SQL("SELECT pg_create_logical_replication_slot({}, 'pgoutput')").format(
                Literal(self.name)
            )
        )
        _LOG.info("made slot %s: rows from before it need a pull with --full", self.name)

    def _check_slot(self, found: tuple[str | None, ...]) -> None:
        plugin, is_here, wal_status = found
        if plugin != "pgoutput" or is_here != "t":
            raise SourceError(
                f"replication slot {self.name} is not a pgoutput slot of this database: give "
                "another --slot"
            )
        if wal_status == "lost":
            raise SourceError(
                f"replication slot {self.name} is lost, since the server has removed WAL that it "
                f"needs: drop it by SELECT pg_drop_replication_slot('{self.name}') and "
                f"{self.publication} by DROP PUBLICATION, start this again, and pull with --full"
            )

    def _check_publication(
        self, connection: Connection, names: Mapping[tuple[str, str], str]
    ) -> None:
        found = _one(connection, _PUBLICATION.format(Literal(self.publication)))
        if found is None or found[0] != "t":
            raise SourceError(
                f"publication {self.publication} must publish insert, update, delete and truncate"
            )
        statement = _PUBLISHED.format(Literal(self.publication))
        has = set(text_cursor(connection).execute(statement).fetchall())
        if missing := {name: names[name] for name in names if name not in has}:
            tables = _list_of(missing).as_string(None)
            raise SourceError(
                f"publication {self.publication} lacks a table: run ALTER PUBLICATION "
                f"{Identifier(self.publication).as_string(None)} ADD TABLE {tables}, or leave the "
                "table out by --source_mapping"
            )


def position(engine: Engine) -> str:
    """The LSN up to which the WAL is safe now."""
    with engine.connect() as opened:
        connection = opened.execution_options(isolation_level="AUTOCOMMIT")
        found = _one(connection, SQL("SELECT pg_current_wal_flush_lsn()"))
    assert found is not None and found[0] is not None  # noqa: S101, PT018 - no FROM, no NULL
    return found[0]


def lsn_text(lsn: int) -> str:
    """An LSN as PostgreSQL writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def _check_server(connection: Connection) -> None:
    found = _one(connection, SQL("SELECT current_setting('wal_level'), pg_is_in_recovery()"))
    if found and found[1] == "t":
        raise SourceError("the database is a standby: capture from its primary, or pull")
    if found and found[0] != "logical":
        raise SourceError(
            "wal_level must be logical: run ALTER SYSTEM SET wal_level = logical, and restart the "
            "server"
        )


def _identity(connection: Connection, found: FoundTable) -> tuple[tuple[str, str], int]:
    """Schema and name of a table, and its oid."""
    row = _one(connection, _TABLE.format(Literal(found.identifier.as_string(None))))
    schema, name, oid, has_identity = row or (None, None, None, None)
    if schema is None or name is None:
        raise SourceError(f"the database has no table {found.table.name}")
    if has_identity != "t":
        # Published without one, its updates and deletes would fail in the app.
        raise SourceError(
            f"table {found.table.name} has no primary key and no other replica identity: add a "
            "primary key, or leave the table out by --source_mapping"
        )
    return (schema, name), int(oid or 0)


def _list_of(names: Mapping[tuple[str, str], str]) -> Composable:
    return SQL(", ").join([Identifier(*name) for name in sorted(names)])


def _one(connection: Connection, statement: SQL | Composed) -> tuple[str | None, ...] | None:
    row: tuple[str | None, ...] | None = text_cursor(connection).execute(statement).fetchone()
    return row


def _driver(connection: Connection) -> psycopg.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - as get_engine names the driver
    return driver
