"""Reads messages from files: JSON lines, or Pub/Sub archives in Avro."""

import dataclasses
import datetime as dt
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import apache_beam as beam
import fastavro
from apache_beam.io.filesystems import FileSystems

from schemas.message import Message

# Pub/Sub accepts no longer message, so a longer line is truncated.
MAX_LINE_BYTES = 10_000_000
ARCHIVE_FIELDS = frozenset({"data", "message_id", "publish_time", "attributes"})


class DamagedInputError(Exception):
    """A file cannot be read to its end; the text is the one line to show."""


@dataclasses.dataclass(frozen=True)
class FileInput:
    """Files to read.

    Attributes:
        name: path or pattern of ``.jsonl`` or ``.avro`` files.
        publish_time: for the lines of ``.jsonl`` files, which have none; UTC.
    """

    name: str
    publish_time: dt.datetime


class ReadFiles(beam.PTransform):
    """The messages of files, distributed to the workers by file."""

    def __init__(self, files: FileInput) -> None:
        super().__init__()
        self._input = files

    def expand(self, input_or_inputs: beam.Pipeline) -> beam.PCollection[Message]:
        """Returns the messages of all files."""
        files = input_or_inputs | "Files" >> beam.Create(match(self._input.name))
        # Breaks fusion, so that the files are distributed to the workers.
        return (
            files
            | "ShareOut" >> beam.Reshuffle()
            | "FromFile"
            >> beam.FlatMap(read_file, publish_time=self._input.publish_time).with_output_types(
                Message
            )
        )


def match(pattern: str) -> list[str]:
    """The files that match a path or pattern, sorted: URIs, and absolute local paths.

    Raises:
        FileNotFoundError: no file matches.
    """
    found = FileSystems.match([pattern])[0].metadata_list
    if not found:
        raise FileNotFoundError(f"no file matches {pattern}")
    return sorted(_absolute(metadata.path) for metadata in found)


def _absolute(path: str) -> str:
    return path if FileSystems.get_scheme(path) else os.path.abspath(path)


def read_file(path: str, publish_time: dt.datetime) -> Iterator[Message]:
    """The messages of one file; the ending of its name decides the format.

    Raises:
        DamagedInputError: it cannot be read to its end.
    """
    try:
        with FileSystems.open(path) as stream:
            if path.endswith(".avro"):
                yield from read_archive(stream, path)
            else:
                yield from read_lines(stream, path, publish_time)
    except Exception as error:  # whatever a codec or a file system raises for broken bytes
        raise DamagedInputError(
            f"{path} is damaged ({type(error).__name__}): this run is not complete; mend or leave "
            "out the file and run again, what is written twice is read once"
        ) from error


def read_lines(stream: BinaryIO, path: str, publish_time: dt.datetime) -> Iterator[Message]:
    """One message per line (its id: path and line number); an empty line is an empty message."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        size = None
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            size = len(line) + _skip_line(stream)
        yield Message(
            payload=line.removesuffix(b"\n").removesuffix(b"\r"),
            message_id=f"{path}:{number:09}",
            publish_time=publish_time,
            source=path,
            size=size,
        )


def _skip_line(stream: BinaryIO) -> int:
    """Reads to the end of the line; returns the number of bytes skipped."""
    skipped = 0
    while rest := stream.readline(MAX_LINE_BYTES):
        skipped += len(rest.removesuffix(b"\n"))
        if rest.endswith(b"\n"):
            break
    return skipped


def read_archive(stream: BinaryIO, path: str) -> Iterator[Message]:
    """The messages of an Avro file as a Pub/Sub Cloud Storage subscription writes it."""
    record: Any
    for record in fastavro.reader(stream):
        yield Message(
            payload=record["data"],
            message_id=record["message_id"],
            publish_time=record["publish_time"],
            attributes=record["attributes"],
            source=path,
        )


def check_archive(path: str) -> None:
    """Checks the header of an archive.

    Raises:
        ValueError: it is not an Avro file, or one without the messages' metadata.
    """
    with FileSystems.open(path) as stream:
        try:
            schema: Any = fastavro.reader(stream).writer_schema
        except (ValueError, EOFError, IndexError, StopIteration):
            raise ValueError(f"{path} is not an Avro file") from None
    fields = {field["name"] for field in schema.get("fields", ())}
    missing = ARCHIVE_FIELDS - fields
    if missing:
        raise ValueError(
            f"{path} lacks {', '.join(sorted(missing))}: the Cloud Storage subscription must "
            "write metadata"
        )
