"""Follows the stream of a slot: which rows changed, in which transaction."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import ClassVar, TypeAlias

from pipeline.capture.pgoutput import (
    Begin,
    Commit,
    Delete,
    Insert,
    Message,
    Missing,
    Relation,
    Truncate,
    Type,
    Update,
    Values,
)
from pipeline.sources.postgres.input import SourceError
from pipeline.sources.postgres.mapping import SourceTable
from pipeline.sources.postgres.messages import SourceRow

_BLANK_PADDED = ("pg_catalog", "bpchar")
_BLANK_PADDED_OID = 1042

Place: TypeAlias = tuple[int, int]
"""LSN of the commit and position within the transaction: later for each later change."""


@dataclasses.dataclass(frozen=True)
class Change:
    """What happened to a table.

    Attributes:
        place: of the change in the stream.
        committed: when its transaction was, UTC.
        table: its documented name.
    """

    place: Place
    committed: dt.datetime
    table: str
    kind: ClassVar[str]


@dataclasses.dataclass(frozen=True)
class Changed(Change):
    """A row that was inserted or updated.

    Attributes:
        row: without the columns of other tables.
        unchanged: our names of columns whose values were not sent; None in ``row``.
    """

    row: SourceRow
    unchanged: tuple[str, ...]
    kind = "upsert"


@dataclasses.dataclass(frozen=True)
class Deleted(Change):
    """A row that is gone.

    Attributes:
        key: None where the replica identity does not have the primary key.
        values: the mapped columns under our names, as far as the replica identity has them.
    """

    key: tuple[str, ...] | None
    transaction: str
    values: Mapping[str, str | None]
    kind = "delete"


class Truncated(Change):
    """A table that was emptied."""

    kind = "truncate"


@dataclasses.dataclass(frozen=True)
class _Layout:
    """Where the mapped columns of a table stand in its rows."""

    table: str
    columns: tuple[tuple[str, int, bool], ...]
    key: tuple[tuple[int, bool], ...]


class Changes:
    """Turns messages into changes of the mapped tables. One for each time the slot is read."""

    def __init__(
        self, names: Mapping[int | tuple[str, str], str], tables: Mapping[str, SourceTable]
    ) -> None:
        """Takes the names of ``Slot.prepare``, and the tables by their documented names."""
        self._names, self._tables = names, tables
        self.relations: dict[int, Relation] = {}
        """The definitions of tables, mapped or not, as last seen."""
        self._layouts: dict[int, _Layout | None] = {}
        self._padded = {_BLANK_PADDED_OID}
        self._begin: Begin | None = None
        self._position = 0
        self.committed_lsn: int | None = None
        """End of the last transaction that came whole."""

    def of(self, message: Message) -> Iterator[Change]:
        """The changes that a message stands for.

        Raises:
            SourceError: a mapped table lacks a column that is needed.
        """
        match message:
            case Begin():
                self._begin, self._position = message, 0
            case Commit():
                self.committed_lsn = message.end_lsn
            case Type() if (message.namespace or "pg_catalog", message.name) == _BLANK_PADDED:
                self._padded.add(message.oid)
            case Relation():
                self._layouts[message.oid] = self._layout(message)
                self.relations[message.oid] = message
            case Insert() | Update() | Delete():
                if layout := self._layouts[message.relation]:
                    yield from self._row(layout, message)
                self._position += 1
            case Truncate():
                for relation in message.relations:
                    if layout := self._layouts[relation]:
                        yield Truncated(*self._where(layout))
                self._position += 1
            case _:  # an origin, or a type that we read as text
                pass

    def _layout(self, relation: Relation) -> _Layout | None:
        by_name = self._names.get((relation.namespace, relation.name))
        name = by_name or self._names.get(relation.oid)
        if name is None:
            return None
        table = self._tables[name]
        places = {column.name: number for number, column in enumerate(relation.columns)}
        needed = [its for our, its in table.columns.items() if our not in table.optional]
        for column in (*table.key, *needed):
            if column not in places:
                raise SourceError(
                    f"table {table.name} has no column {column} any more: --source_mapping can "
                    "name it"
                )

        def is_padded(column: str) -> bool:
            return relation.columns[places[column]].type_oid in self._padded

        return _Layout(
            name,
            tuple(
                (our, places[its], is_padded(its))
                for our, its in table.columns.items()
                if its in places
            ),
            tuple((places[column], is_padded(column)) for column in table.key),
        )

    def _row(self, layout: _Layout, message: Insert | Update | Delete) -> Iterator[Change]:
        old = None if isinstance(message, Insert) else message.old
        gone = _key(layout, old) if old is not None else None
        if isinstance(message, Delete):
            yield self._deleted(layout, gone, message.old)
            return
        key = _key(layout, message.new) or gone
        if key is None:
            raise SourceError(f"table {layout.table}: a row came without its key")
        if gone is not None and old is not None and gone != key:
            yield self._deleted(layout, gone, old)
        values: dict[str, str | None] = {}
        unchanged = []
        for our, place, padded in layout.columns:
            value = message.new[place]
            if value is Missing.UNCHANGED and old is not None and old[place] is not None:
                value = old[place]  # under REPLICA IDENTITY FULL
            if isinstance(value, Missing):
                unchanged.append(our)
                value = None
            values[our] = value.rstrip(" ") if padded and value is not None else value
        row = SourceRow(
            table=layout.table,
            key=key,
            values=values,
            transaction=str(self._transaction.transaction),
            committed=self._transaction.committed.isoformat(),
            position=self._position,
        )
        yield Changed(*self._where(layout), row, tuple(unchanged))

    def _deleted(self, layout: _Layout, key: tuple[str, ...] | None, old: Values) -> Deleted:
        sent = ((our, old[place]) for our, place, _ in layout.columns)
        values = {our: value for our, value in sent if not isinstance(value, Missing)}
        return Deleted(*self._where(layout), key, str(self._transaction.transaction), values)

    def _where(self, layout: _Layout) -> tuple[Place, dt.datetime, str]:
        begin = self._transaction
        return (begin.lsn, self._position), begin.committed, layout.table

    @property
    def _transaction(self) -> Begin:
        assert self._begin is not None  # noqa: S101 - the protocol begins with it
        return self._begin


def _key(layout: _Layout, values: Values) -> tuple[str, ...] | None:
    """The primary key, or None where a part of it is missing."""
    key = []
    for place, padded in layout.key:
        value = values[place]
        if value is None or isinstance(value, Missing):
            return None
        key.append(value.rstrip(" ") if padded else value)
    return tuple(key)
