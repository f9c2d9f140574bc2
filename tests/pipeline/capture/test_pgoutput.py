"""Messages of pgoutput, byte by byte as the protocol's page describes them."""

import datetime as dt
import struct

import pytest

from pipeline.capture.pgoutput import (
    Begin,
    Column,
    Commit,
    Delete,
    Insert,
    Missing,
    Origin,
    ProtocolError,
    Relation,
    Truncate,
    Type,
    Update,
    decode,
)

TIME = dt.datetime(2026, 3, 2, 10, 5, 0, 123456, tzinfo=dt.UTC)
MICROSECONDS = struct.pack(
    ">q", (TIME - dt.datetime(2000, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
)


def number(value, form=">I"):
    return struct.pack(form, value)


def row(*values):
    """None is null, ... is unchanged."""
    parts = [number(len(values), ">H")]
    for value in values:
        if value is None or value is ...:
            parts.append(b"n" if value is None else b"u")
        else:
            parts.append(b"t" + number(len(value.encode())) + value.encode())
    return b"".join(parts)


LSN = number(0x1_0000_0A00, ">Q")
MESSAGES = {
    "begin": (b"B" + LSN + MICROSECONDS + number(77), Begin(0x1_0000_0A00, TIME, 77)),
    "commit": (
        b"C\0" + LSN + number(0x1_0000_0B00, ">Q") + MICROSECONDS,
        Commit(0x1_0000_0B00),
    ),
    "origin": (b"O" + LSN + b"elsewhere\0", Origin("elsewhere")),
    "type": (b"Y" + number(16385) + b"app\0mood\0", Type(16385, "app", "mood")),
    "relation": (
        b"R" + number(5) + b"app\0answers\0d" + number(2, ">H")
        + b"\1answer_id\0" + number(20) + number(-1, ">i")
        + b"\0option\0" + number(1042) + number(9, ">i"),
        Relation(5, "app", "answers", (Column("answer_id", 20), Column("option", 1042))),
    ),
    "relation of the system": (
        b"R" + number(5) + b"\0pg_class\0n" + number(0, ">H"),
        Relation(5, "pg_catalog", "pg_class", ()),
    ),
    "insert": (
        b"I" + number(5) + b"N" + row("1", None, "", "ü"),
        Insert(5, ("1", None, "", "ü")),
    ),
    "update": (
        b"U" + number(5) + b"N" + row("1", ...),
        Update(5, None, ("1", Missing.UNCHANGED)),
    ),
    "update of the key": (
        b"U" + number(5) + b"K" + row("1", None) + b"N" + row("2", "B"),
        Update(5, ("1", None), ("2", "B")),
    ),
    "update with all before": (
        b"U" + number(5) + b"O" + row("1", "A") + b"N" + row("1", "B"),
        Update(5, ("1", "A"), ("1", "B")),
    ),
    "delete": (b"D" + number(5) + b"K" + row("1", None), Delete(5, ("1", None))),
    "delete with all before": (b"D" + number(5) + b"O" + row("1", "A"), Delete(5, ("1", "A"))),
    "truncate": (b"T" + number(2) + b"\1" + number(5) + number(6), Truncate((5, 6))),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message(name):
    data, expected = MESSAGES[name]
    assert decode(data) == expected


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_that_is_cut_off_or_too_long(name):
    data, _ = MESSAGES[name]
    for end in range(1, len(data)):
        with pytest.raises(ProtocolError, match=r"is cut off|has bytes after"):
            decode(data[:end])
    with pytest.raises(ProtocolError, match="has bytes after its end"):
        decode(data + b"\0")


@pytest.mark.parametrize("data", [b"", b"S" + number(7), b"M", b"\0"])
def test_a_kind_that_version_1_does_not_have(data):
    with pytest.raises(ProtocolError, match="of kind"):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"I" + number(5) + b"K" + row("1"),
        b"U" + number(5) + b"X" + row("1"),
        b"U" + number(5) + b"K" + row("1") + b"K" + row("1"),
        b"D" + number(5) + b"N" + row("1"),
        b"I" + number(5) + b"N" + number(1, ">H") + b"b" + number(1) + b"1",
    ],
)
def test_a_row_of_another_kind(data):
    with pytest.raises(ProtocolError):
        decode(data)
