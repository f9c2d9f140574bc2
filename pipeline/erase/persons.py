"""Finds the messages of persons, and removes them from archives."""

import bisect
import contextlib
import datetime as dt
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

from schemas.errors import ContractError
from schemas.families import FAMILIES
from schemas.family import EventFamily
from schemas.message import Message
from transforms.route import Router

# Characters that make an id part of a longer word.
_WITHIN = re.compile(rb"[\w\-\x80-\xff]")
_ESCAPE = re.compile(
    rb'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])'
)
# Attributes that a replay adds: they contain counts and message ids.
_REPLAY = "replay_"
_TEMPORARY = ".erasing"
_ANY = dt.datetime.min.replace(tzinfo=dt.UTC)
# The rest of an archive is kept in memory up to this size; Pub/Sub writes files of up to 100 MB.
_IN_MEMORY_BYTES = 256 * 1024 * 1024


class Persons:
    """The persons to delete, and the event families whose messages may be theirs.

    A message is a person's if it says so in a field that names a person in one of these families.
    If it has no such field (it is not JSON, is cut off, names nobody), it is theirs if an
    attribute's value is the id, or if the id occurs anywhere in it, as a whole word and in any of
    JSON's spellings; unless it is a message of another family, or of one that holds no person.
    """

    def __init__(self, ids: Iterable[str], families: Iterable[EventFamily]) -> None:
        self._ids = frozenset(ids)
        self.families = tuple(families)
        self._naming = [family for family in self.families if family.person is not None]
        names = dict.fromkeys(
            name for family in self._naming for name in (family.person, *family.person_where)
        )
        fields: list[Any] = [(name, Any, None) for name in names]
        self._fields = msgspec.json.Decoder(msgspec.defstruct("PersonFields", fields))
        self._router = Router([*FAMILIES.values()])
        self._others = FAMILIES.keys() - {family.name for family in self._naming}
        self._sorted = sorted(self._ids)
        first = re.escape(bytes({person.encode()[0] for person in self._ids}))
        self._starts = re.compile(
            rb"(?:(?<!%b)|(?<=\\[bfnrt]))(?=[\\%b])" % (_WITHIN.pattern, first)
        )

    @property
    def digests(self) -> list[str]:
        """SHA-256 of each id in hex, for queries: BigQuery keeps their parameters with the job."""
        return [hashlib.sha256(person.encode()).hexdigest() for person in self._sorted]

    def own(self, payload: bytes, attributes: Mapping[str, str] | None = None) -> bool:
        """Whether a message is one of these persons'."""
        fields = self._read(payload)
        if named := self._names(fields):
            return not self._ids.isdisjoint(named)
        sent = dict(attributes or {})
        name = self._family(payload, sent)
        if name in self._others or any(
            family.name == name and _holds_nobody(family, fields) for family in self._naming
        ):
            return False
        return self._named(sent) or self._mentioned(payload)

    def _family(self, payload: bytes, attributes: dict[str, str]) -> str | None:
        """The name of the family that reads a message; None if there is none."""
        message = Message(
            payload=payload, attributes=attributes, message_id="", publish_time=_ANY, source=""
        )
        try:
            return self._router.family_of(message)
        except ContractError:
            return None

    def _read(self, payload: bytes) -> Mapping[str, Any]:
        """The fields of a message that may name a person or say whether one does."""
        try:
            return msgspec.structs.asdict(self._fields.decode(payload))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}

    def _names(self, fields: Mapping[str, Any]) -> list[str]:
        """The persons that a message names in the fields for them."""
        named = (
            fields.get(family.person or "")
            for family in self._naming
            if all(fields.get(name) == value for name, value in family.person_where.items())
        )
        return [value for value in named if isinstance(value, str)]

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


def _holds_nobody(family: EventFamily, fields: Mapping[str, Any]) -> bool:
    """Whether an event of the family says that its ``person`` is none."""
    wanted = family.person_where.items()
    return any(fields.get(name) not in (None, value) for name, value in wanted)


def _characters(text: bytes, place: int) -> Iterator[tuple[str, int]]:
    """The characters that a place can mean, plain and as JSON's escape; the end of each."""
    lead = text[place : place + 1]
    size = 1 if lead < b"\x80" else 2 if lead < b"\xe0" else 3 if lead < b"\xf0" else 4
    with contextlib.suppress(UnicodeDecodeError):
        if character := text[place : place + size].decode():
            yield character, place + size
    if lead == b"\\" and (escape := _ESCAPE.match(text, place)):
        yield json.loads(b'"%b"' % escape[0]), escape.end()


def archived(path: str, persons: Persons) -> int:
    """The number of messages of an archive that are theirs."""
    with FileSystems.open(path) as stream:
        records: Any = fastavro.reader(stream)
        return sum(persons.own(record["data"], record["attributes"]) for record in records)


def rewrite(path: str, persons: Persons) -> None:
    """Removes the persons' messages from an archive; deletes it if no others are in it.

    The file is replaced as a whole, so that an interruption leaves it unchanged, and keeps its age.

    Raises:
        OSError: the file cannot be written, or was changed in the meantime.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as copy:
        if path.startswith("gs://"):
            _rewrite_object(path, persons, copy)
        else:
            _rewrite_file(path, persons, copy)


def _rewrite_object(path: str, persons: Persons, copy: IO[bytes]) -> None:
    bucket, name = parse_gcs_path(path)
    blob = GcsIO().client.bucket(bucket).get_blob(name)
    if not _copy_others(path, persons, copy):
        blob.delete()
        return
    # A new object is as old as its upload: the bucket's rules go by its custom time as well.
    blob.custom_time = blob.custom_time or blob.time_created
    blob.storage_class = blob.storage_class  # only what has been set is sent
    try:
        blob.upload_from_file(copy, if_generation_match=blob.generation)
    except PreconditionFailed:  # overwriting it might restore what another run erased
        raise OSError(f"{path} has changed meanwhile: run it again") from None


def _rewrite_file(path: str, persons: Persons, copy: IO[bytes]) -> None:
    if not _copy_others(path, persons, copy):
        os.remove(path)
        return
    temporary = Path(path + _TEMPORARY)
    with temporary.open("wb") as file:
        shutil.copyfileobj(copy, file)
    shutil.copystat(path, temporary)
    temporary.replace(path)


def _copy_others(path: str, persons: Persons, copy: IO[bytes]) -> int:
    """Copies the messages of all others; returns their number."""
    count = 0

    def others(records: Any) -> Iterator[Any]:
        nonlocal count
        for record in records:
            if not persons.own(record["data"], record["attributes"]):
                count += 1
                yield record

    with FileSystems.open(path) as stream:
        reader: Any = fastavro.reader(stream)
        fastavro.writer(copy, reader.writer_schema, others(reader), codec=reader.codec)
    copy.seek(0)
    return count
