"""Which messages are a student's, and how they are taken out of archives and tables."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import fastavro
import msgspec
from apache_beam.io.filesystems import FileSystems

# Characters that would make an id the part of a longer one.
_WITHIN = rb"[\w\-\x80-\xff]"
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f"} | {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_TEMPORARY = ".erasing"


class Students:
    """The students to forget.

    A message is a student's where its field student_id says so. Where a message does not say whose
    it is (it is no JSON, is cut off, names nobody), it is the student's if the id stands anywhere
    in it, as a whole word and in whatever way JSON can spell it.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = frozenset(ids)
        spelled = b"|".join(_spellings(student) for student in sorted(self._ids))
        self._mention = re.compile(
            rb"(?:(?<!%b)|(?<=\\[bfnrt]))(?:%b)(?!%b)" % (_WITHIN, spelled, _WITHIN)
        )

    @property
    def digests(self) -> list[str]:
        """SHA-256 of each id in hex: what a query is told, since jobs and their values are kept."""
        return [hashlib.sha256(student.encode()).hexdigest() for student in sorted(self._ids)]

    def own(self, payload: bytes, attributes: dict[str, str] | None = None) -> bool:
        """Whether a message is one of these students'."""
        if attributes and self._mentioned(json.dumps(attributes).encode()):
            return True
        try:
            student = msgspec.json.decode(payload, type=_Owned).student_id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            student = None
        return self._mentioned(payload) if student is None else student in self._ids

    def _mentioned(self, payload: bytes) -> bool:
        texts = [payload]
        if b"\x00" in payload:
            texts += [payload.decode(f"utf-16-{end}", "ignore").encode() for end in ("le", "be")]
        return any(self._mention.search(text) for text in texts)


class _Owned(msgspec.Struct):
    student_id: str | None = None


def _spellings(student: str) -> bytes:
    """A pattern of all ways in which JSON can spell an id."""
    return b"".join(b"(?:%b)" % b"|".join(_character(character)) for character in student)


def _character(character: str) -> Iterator[bytes]:
    yield re.escape(character.encode())
    units = character.encode("utf-16-be").hex(" ", 2).split()
    yield b"".join(rb"\\u(?i:%b)" % unit.encode() for unit in units)
    if character in _SHORT_ESCAPES:
        yield re.escape(_SHORT_ESCAPES[character].encode())


def archived(path: str, students: Students) -> int:
    """How many messages of an archive are the students'."""
    with FileSystems.open(path) as stream:
        records: Any = fastavro.reader(stream)
        return sum(students.own(record["data"], record["attributes"]) for record in records)


def rewrite(path: str, students: Students) -> None:
    """Takes the students' messages out of an archive; one without any others is deleted.

    What is left is written beside it and then takes its place, so that an interruption leaves the
    one or the other whole.
    """
    temporary, left = path + _TEMPORARY, 0

    def others(records: Any) -> Iterator[Any]:
        nonlocal left
        for record in records:
            if not students.own(record["data"], record["attributes"]):
                left += 1
                yield record

    with FileSystems.open(path) as stream, FileSystems.create(temporary) as copy:
        reader: Any = fastavro.reader(stream)
        fastavro.writer(copy, reader.writer_schema, others(reader), codec=reader.codec)
    if left:
        FileSystems.rename([temporary], [path])
    else:
        FileSystems.delete([path, temporary])
