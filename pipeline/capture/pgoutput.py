"""Decodes the messages of pgoutput, PostgreSQL's own output plugin, in protocol version 1.

https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

import datetime as dt
import enum
import struct
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class ProtocolError(ValueError):
    """Bytes that are no message of version 1. The text has no values."""


class Missing(enum.Enum):
    """A value that the server does not send: stored out of line (TOAST), and not changed."""

    UNCHANGED = "unchanged"


Value: TypeAlias = str | Missing | None
Values: TypeAlias = tuple[Value, ...]


class Begin(NamedTuple):
    """``lsn`` is that of the commit record, higher for each transaction that comes later."""

    lsn: int
    committed: dt.datetime
    transaction: int


class Commit(NamedTuple):
    """``end_lsn`` is where the next transaction may begin."""

    end_lsn: int


class Origin(NamedTuple):
    """Where a transaction was replicated from."""

    name: str


class Type(NamedTuple):
    """A type that is not built in; of a domain, the name is that of the type below it."""

    oid: int
    namespace: str
    name: str


class Column(NamedTuple):
    """A column of a Relation."""

    name: str
    type_oid: int


class Relation(NamedTuple):
    """A table, sent before its first change and again when its definition changes."""

    oid: int
    namespace: str
    name: str
    columns: tuple[Column, ...]


class Insert(NamedTuple):
    """``new`` has a value for each column."""

    relation: int
    new: Values


class Update(NamedTuple):
    """``old`` is None, or the row before: its replica identity only, where that is a key."""

    relation: int
    old: Values | None
    new: Values


class Delete(NamedTuple):
    """``old`` is the row before: its replica identity only, where that is a key."""

    relation: int
    old: Values


class Truncate(NamedTuple):
    """All rows of these tables are gone."""

    relations: tuple[int, ...]


Message: TypeAlias = Begin | Commit | Origin | Type | Relation | Insert | Update | Delete | Truncate


def decode(data: bytes) -> Message:
    """The message in ``data``.

    Raises:
        ProtocolError: it is cut off, too long, or of a kind that version 1 does not have.
    """
    kind = data[:1]
    read = _READERS.get(kind)
    if read is None:
        raise ProtocolError(f"pgoutput sent a message of kind {kind!r}")
    source = _Bytes(data)
    try:
        message = read(source)
    except (struct.error, ValueError, IndexError):
        raise ProtocolError(f"a pgoutput message of kind {kind!r} is cut off") from None
    if source.at != len(data):
        raise ProtocolError(f"a pgoutput message of kind {kind!r} has bytes after its end")
    return message


class _Bytes:
    """Reads from left to right, after the byte of the kind."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 1

    def number(self, form: str) -> int:
        """An integer in a format of ``struct``."""
        [value] = struct.unpack_from(form, self._data, self.at)
        self.at += struct.calcsize(form)
        return int(value)

    def text(self) -> str:
        """Text up to a zero byte."""
        end = self._data.index(0, self.at)
        found = self._data[self.at : end]
        self.at = end + 1
        return found.decode("utf-8", "replace")

    def letter(self) -> bytes:
        """One byte."""
        found = self._data[self.at : self.at + 1]
        self.at += 1
        return found

    def time(self) -> dt.datetime:
        """Microseconds since 2000."""
        return _EPOCH + dt.timedelta(microseconds=self.number(">q"))

    def values(self) -> Values:
        """A row."""
        return tuple(self._value() for _ in range(self.number(">H")))

    def _value(self) -> Value:
        kind = self.letter()
        if kind == b"t":
            end = self.at + 4 + self.number(">I")
            found = self._data[self.at : end]
            if end > len(self._data):
                raise IndexError
            self.at = end
            return found.decode("utf-8", "replace")
        if kind == b"n":
            return None
        if kind == b"u":
            return Missing.UNCHANGED
        raise ValueError


def _begin(source: _Bytes) -> Begin:
    return Begin(source.number(">Q"), source.time(), source.number(">I"))


def _commit(source: _Bytes) -> Commit:
    source.letter()  # flags, of which there are none
    source.number(">Q")
    end = source.number(">Q")
    source.time()
    return Commit(end)


def _origin(source: _Bytes) -> Origin:
    source.number(">Q")
    return Origin(source.text())


def _type(source: _Bytes) -> Type:
    return Type(source.number(">I"), source.text(), source.text())


def _relation(source: _Bytes) -> Relation:
    oid, namespace, name = source.number(">I"), source.text(), source.text()
    source.letter()  # the replica identity
    return Relation(
        oid,
        namespace or "pg_catalog",
        name,
        tuple(_column(source) for _ in range(source.number(">H"))),
    )


def _column(source: _Bytes) -> Column:
    source.letter()  # whether it is part of the replica identity
    column = Column(source.text(), source.number(">I"))
    source.number(">i")  # the modifier of its type
    return column


def _insert(source: _Bytes) -> Insert:
    relation = source.number(">I")
    _expect(source, b"N")
    return Insert(relation, source.values())


def _update(source: _Bytes) -> Update:
    relation, old = source.number(">I"), None
    kind = source.letter()
    if kind in (b"K", b"O"):
        old = source.values()
        kind = source.letter()
    if kind != b"N":
        raise ValueError
    return Update(relation, old, source.values())


def _delete(source: _Bytes) -> Delete:
    relation = source.number(">I")
    _expect(source, b"K", b"O")
    return Delete(relation, source.values())


def _truncate(source: _Bytes) -> Truncate:
    count = source.number(">I")
    source.letter()  # whether CASCADE and RESTART IDENTITY were given
    return Truncate(tuple(source.number(">I") for _ in range(count)))


def _expect(source: _Bytes, *kinds: bytes) -> None:
    if source.letter() not in kinds:
        raise ValueError


_READERS: dict[bytes, Callable[[_Bytes], Message]] = {
    b"B": _begin,
    b"C": _commit,
    b"O": _origin,
    b"Y": _type,
    b"R": _relation,
    b"I": _insert,
    b"U": _update,
    b"D": _delete,
    b"T": _truncate,
}
