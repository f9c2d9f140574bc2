"""Finds the messages of students, and removes them from archives."""

import bisect
import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import fastavro
import msgspec
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.gcp.gcsio import GcsIO, parse_gcs_path
from google.api_core.exceptions import PreconditionFailed

# Characters that make an id part of a longer word.
_WITHIN = re.compile(rb"[\w\-\x80-\xff]")
_ESCAPE = re.compile(
    rb'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])'
)
# Attributes that a replay adds: they contain counts and message ids.
_REPLAY = "replay_"
_TEMPORARY = ".erasing"
# The rest of an archive is kept in memory up to this size; Pub/Sub writes files of up to 100 MB.
_IN_MEMORY_BYTES = 256 * 1024 * 1024


class Students:
    """The students to delete.

    A message is a student's if its field student_id says so. If it has no such field (it is not
    JSON, is cut off, names nobody), it is the student's if an attribute's value is the id, or if
    the id occurs anywhere in it, as a whole word and in any of JSON's spellings.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = frozenset(ids)
        self._sorted = sorted(self._ids)
        first = re.escape(bytes({student.encode()[0] for student in self._ids}))
        self._starts = re.compile(
            rb"(?:(?<!%b)|(?<=\\[bfnrt]))(?=[\\%b])" % (_WITHIN.pattern, first)
        )

    @property
    def digests(self) -> list[str]:
        """SHA-256 of each id in hex, for queries: BigQuery keeps their parameters with the job."""
        return [hashlib.sha256(student.encode()).hexdigest() for student in self._sorted]

    def own(self, payload: bytes, attributes: Mapping[str, str] | None = None) -> bool:
        """Whether a message is one of these students'."""
        try:
            student = msgspec.json.decode(payload, type=_Owned).student_id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            student = None
        if student is not None:
            return student in self._ids
        return self._named(attributes or {}) or self._mentioned(payload)

    def _named(self, attributes: Mapping[str, str]) -> bool:
        return any(
            value in self._ids for name, value in attributes.items() if not name.startswith(_REPLAY)
        )

    def _mentioned(self, payload: bytes) -> bool:
        texts = [payload]
        if b"\x00" in payload:
            texts += [payload.decode(f"utf-16-{end}", "ignore").encode() for end in ("le", "be")]
        return any(
            self._stands_at(text, start.start())
            for text in texts
            for start in self._starts.finditer(text)
        )

    def _stands_at(self, text: bytes, place: int) -> bool:
        """Whether one of the ids begins here and ends at the end of a word.

        Follows all readings of the text while an id begins with them, which a search in the sorted
        ids answers: the work does not grow with their number.
        """
        readings = {("", place)}
        while readings:
            longer = {
                (read + character, end)
                for read, start in readings
                for character, end in _characters(text, start)
            }
            readings = set()
            for read, end in longer:
                nearest = bisect.bisect_left(self._sorted, read)
                if nearest == len(self._sorted) or not self._sorted[nearest].startswith(read):
                    continue
                if self._sorted[nearest] == read and not _WITHIN.match(text, end):
                    return True
                readings.add((read, end))
        return False


class _Owned(msgspec.Struct):
    student_id: str | None = None


def _characters(text: bytes, place: int) -> Iterator[tuple[str, int]]:
    """The characters that a place can mean, plain and as JSON's escape; the end of each."""
    lead = text[place : place + 1]
    size = 1 if lead < b"\x80" else 2 if lead < b"\xe0" else 3 if lead < b"\xf0" else 4
    with contextlib.suppress(UnicodeDecodeError):
        if character := text[place : place + size].decode():
            yield character, place + size
    if lead == b"\\" and (escape := _ESCAPE.match(text, place)):
        yield json.loads(b'"%b"' % escape[0]), escape.end()


def archived(path: str, students: Students) -> int:
    """The number of messages of an archive that are the students'."""
    with FileSystems.open(path) as stream:
        records: Any = fastavro.reader(stream)
        return sum(students.own(record["data"], record["attributes"]) for record in records)


def rewrite(path: str, students: Students) -> None:
    """Removes the students' messages from an archive; deletes it if no others are in it.

    The file is replaced as a whole, so that an interruption leaves it unchanged, and keeps its age.

    Raises:
        OSError: the file cannot be written, or was changed in the meantime.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as copy:
        if path.startswith("gs://"):
            _rewrite_object(path, students, copy)
        else:
            _rewrite_file(path, students, copy)


def _rewrite_object(path: str, students: Students, copy: IO[bytes]) -> None:
    bucket, name = parse_gcs_path(path)
    blob = GcsIO().client.bucket(bucket).get_blob(name)
    if not _copy_others(path, students, copy):
        blob.delete()
        return
    # A new object is as old as its upload: the bucket's rules go by its custom time as well.
    blob.custom_time = blob.custom_time or blob.time_created
    blob.storage_class = blob.storage_class  # only what has been set is sent
    try:
        blob.upload_from_file(copy, if_generation_match=blob.generation)
    except PreconditionFailed:  # overwriting it might restore what another run erased
        raise OSError(f"{path} has changed meanwhile: run it again") from None


def _rewrite_file(path: str, students: Students, copy: IO[bytes]) -> None:
    if not _copy_others(path, students, copy):
        os.remove(path)
        return
    temporary = Path(path + _TEMPORARY)
    with temporary.open("wb") as file:
        shutil.copyfileobj(copy, file)
    shutil.copystat(path, temporary)
    temporary.replace(path)


def _copy_others(path: str, students: Students, copy: IO[bytes]) -> int:
    """Copies the messages of all others; returns their number."""
    count = 0

    def others(records: Any) -> Iterator[Any]:
        nonlocal count
        for record in records:
            if not students.own(record["data"], record["attributes"]):
                count += 1
                yield record

    with FileSystems.open(path) as stream:
        reader: Any = fastavro.reader(stream)
        fastavro.writer(copy, reader.writer_schema, others(reader), codec=reader.codec)
    copy.seek(0)
    return count
