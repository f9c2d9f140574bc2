"""The sink itself, over a writer that keeps its rows in memory: no warehouse fails on request."""

from typing import ClassVar

import apache_beam as beam
import pytest

from pipeline.sinks import write_rows
from pipeline.sinks.write_rows import WriteRows
from schemas import coders, metrics
from schemas.errors import ErrorKind, Rejection
from schemas.message import Message
from tests.support.events import NOW
from tests.transforms.running import MemoryWriter

# Filled by the running pipeline, which works in this process.
FOUND = []


def keep(refused):
    FOUND.append(refused)


class Rows:
    """A RowMaker of one column, the payload; it fails on ``bug``."""

    columns = ("payload",)

    def open(self):
        pass

    def row(self, element):
        if element.payload == b"bug":
            raise LookupError
        return (element.payload.decode(),)

    def message(self, element):
        return element


def message(number, payload=None):
    return Message(
        payload=payload or str(number).encode(),
        message_id=str(number),
        publish_time=NOW,
        source="s",
    )


class Watched(MemoryWriter):
    """Notes how much was under way at each flush."""

    flushed: ClassVar = []

    def flush(self):
        Watched.flushed.append(len(self._appended))
        return super().flush()


@pytest.fixture
def write():
    def write(messages, refuses=()):
        Watched.flushed.clear()
        coders.register([Message, Rejection])
        FOUND.clear()
        with beam.Pipeline("FnApiRunner") as pipeline:
            _ = (
                (pipeline | beam.Create(messages, reshuffle=False),)
                | WriteRows(Rows(), Watched("sink", ("payload",), frozenset(refuses)), "written")
                | beam.Map(keep)
            )
        return list(FOUND), metrics.counters(pipeline.result.metrics())["written"]

    return write


def test_each_refusal_comes_with_its_own_message(write):
    messages = [message(n) for n in range(1_700)] + [message(1_700, b"bug")]
    found, written = write(messages, refuses={"3", "600", "1699"})
    rejections = {sent.message_id: refusal for sent, refusal in found}
    invalid = Rejection(ErrorKind.REJECTED_BY_WAREHOUSE, "invalid: too old", "client_ts")
    assert [rejections[key] for key in ("3", "600", "1699")] == [invalid] * 3
    assert rejections["1700"].kind is ErrorKind.INTERNAL_ERROR
    assert (len(found), written) == (4, 1_697)


def test_what_is_under_way_is_bounded_however_large_the_bundle(write, monkeypatch):
    monkeypatch.setattr(write_rows, "_FLUSH_ROWS", 1_000)
    _, written = write([message(n) for n in range(3_300)])
    assert written == 3_300
    assert max(Watched.flushed) == 1_000


def test_large_messages_are_not_gathered(write, monkeypatch):
    monkeypatch.setattr(write_rows, "_APPEND_BYTES", 100)
    monkeypatch.setattr(write_rows, "_FLUSH_BYTES", 300)
    _, written = write([message(n, b"x" * 101) for n in range(9)])
    assert written == 9
    assert max(Watched.flushed) == 3
