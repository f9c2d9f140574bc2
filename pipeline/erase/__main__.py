"""Deletes persons: ``python -m pipeline.erase --help``. Never prints their ids."""

import argparse
import dataclasses
import datetime as dt
import functools
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from apache_beam.io.filesystem import BeamIOError
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from gcp import arguments, queries, streaming_buffer
from gcp.clients import bigquery_client
from gcp.secrets import SecretError
from pipeline.erase.persons import Persons, archived, rewrite
from pipeline.erase.tables import THEIRS, person_tables
from pipeline.pseudonym.keys import add_pseudonym_key, pseudonym_keys
from pipeline.sources.files import check_archive, match
from schemas.contract import MAX_ID_LENGTH
from schemas.families import with_needed
from schemas.family import EventFamily
from schemas.tables import DEAD_LETTERS

# Seconds. The library's default is ten minutes; here a person waits.
_IDS_IN_A_QUERY = 10_000
# The column of a dead letter that names its person, where it is known.
_PERSON = "student_id"
# Two sources may use the same message ids, and a file that is replaced uses its own again.
_LETTER = (
    "TO_HEX(SHA256(TO_JSON_STRING(STRUCT(message_id, source, TO_HEX(SHA256(payload)) AS payload))))"
)
_CUT = f"payload_truncated AND {_PERSON} IS NULL"


@dataclasses.dataclass(frozen=True)
class _Rows:
    """Rows of a table to delete: those that match a condition with a parameter ``@ids``."""

    table: bigquery.Table
    condition: str
    ids: Sequence[str]

    @property
    def sent(self) -> str | None:
        """The column with the time at which a row was sent; None if it was not streamed."""
        return streaming_buffer.sent_column(self.table.table_id)

    @functools.cached_property
    def deletable(self) -> tuple[str, dt.datetime | None]:
        """A condition for rows outside the streaming buffer, and its parameter ``@settled``."""
        return streaming_buffer.settled(self.table)


@dataclasses.dataclass
class _Left:
    """What cannot be deleted: rows in the streaming buffer, the last one's time, and cut letters.

    Attributes:
        query: finds the cut letters.
    """

    rows: int = 0
    newest: dt.datetime | None = None
    cut: int = 0
    query: str = ""

    def lines(self) -> Iterator[str]:
        """What the user must do, one line for each kind of rows."""
        if self.newest is not None:
            yield streaming_buffer.when_to_repeat(self.rows, self.newest, "deleted")
        if self.cut:
            yield (
                f"{self.cut:,} dead letters are cut and cannot be assigned to a person: find "
                f"their messages in the archive and set {_PERSON} ({self.query})"
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is 1 if it failed or rows are left."""
    args = _parse(argv)
    try:
        if args.pseudonym_key is not None:
            # Rows have the pseudonyms; payloads and archives have the ids.
            args.persons = args.persons.union(*map(args.pseudonym_key.read().stages, args.persons))
        with bigquery_client(args.dataset.project) as client:
            left = _erase(client, args)
    except SecretError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except arguments.SERVICE_ERRORS as error:
        print(f"error: {arguments.explain(error)}", file=sys.stderr)
        return 1
    except (OSError, ValueError, BeamIOError) as error:
        print(f"error: --archive: {error}", file=sys.stderr)
        return 1
    lines = list(left.lines())
    for line in lines:
        print(line if args.dry_run else f"error: {line}", file=None if args.dry_run else sys.stderr)
    return 1 if lines and not args.dry_run else 0


def _erase(client: bigquery.Client, args: argparse.Namespace) -> _Left:
    """Deletes, and prints one line per table and for the archive; returns what is left."""
    persons = Persons(args.persons, with_needed(args.event_family))
    # Absent: a mistyped dataset.
    letters = client.get_table(args.dataset.table(DEAD_LETTERS), **queries.CALL)
    keys, cut = _letters_of(client, letters, persons)
    where = f"{_CUT} AND {_of_families(persons.families)}"
    query = f"SELECT source, message_id FROM `{letters}` WHERE {where}"  # noqa: S608 - a table's own id
    left = _Left(cut=cut, query=query)
    for start in range(0, len(keys) or 1, _IDS_IN_A_QUERY):
        some = _Rows(letters, f"{_LETTER} IN UNNEST(@ids)", keys[start : start + _IDS_IN_A_QUERY])
        _clear(client, some, left, dry_run=args.dry_run)
    naming, linked = person_tables(client, args.dataset, persons)
    letters_left = left.rows
    for table, condition in linked:
        _clear(client, _Rows(table, condition, persons.digests), left, dry_run=args.dry_run)
    if left.rows > letters_left and not args.dry_run:
        return left  # they could not be found again without the rows that follow
    for table, condition in naming:
        _clear(client, _Rows(table, condition, persons.digests), left, dry_run=args.dry_run)
    if args.archive is not None:
        _erase_archive(args.archive, persons, dry_run=args.dry_run)
    return left


def _of_families(families: Sequence[EventFamily]) -> str:
    """The condition for dead letters of these families, or of none."""
    names = ", ".join(f"'{family.name}'" for family in families)
    return f"(event_family IS NULL OR event_family IN ({names}))"


def _letters_of(
    client: bigquery.Client, letters: bigquery.Table, persons: Persons
) -> tuple[list[str], int]:
    """The keys of the persons' dead letters; how many more are cut, so that they may be theirs.

    If a row says whose it is, that decides; else the readable part of the message does.
    """
    sql = (
        f"SELECT {_LETTER} AS letter, {_PERSON} IS NOT NULL AS assigned, "  # noqa: S608 - a table's own id
        f"{THEIRS.format(_PERSON)} AS theirs, IFNULL({_CUT}, FALSE) AS cut, "
        f"IF({_PERSON} IS NULL, payload, NULL) AS payload, TO_JSON_STRING(attributes) AS sent "
        f"FROM `{letters}` WHERE {_of_families(persons.families)}"
    )
    keys, cut = set(), 0
    for row in _query(client, sql, persons.digests):
        sent = json.loads(row.sent or "null")
        if row.theirs if row.assigned else persons.own(row.payload or b"", sent):
            keys.add(row.letter)
        else:
            cut += row.cut
    return sorted(keys), cut


def _clear(client: bigquery.Client, rows: _Rows, left: _Left, *, dry_run: bool) -> None:
    """Deletes rows, prints how many, and adds those to ``left`` that the buffer holds back."""
    found, fresh, newest = _count(client, rows)
    if not dry_run and found > fresh and not _delete(client, rows):
        fresh = found
    verb = "would be deleted" if dry_run else "deleted"
    waiting = f", {fresh:,} still in BigQuery's streaming buffer" if fresh else ""
    print(f"{rows.table}: {found - fresh:,} rows {verb}{waiting}", flush=True)
    if fresh:
        left.rows += fresh
        left.newest = max(filter(None, (left.newest, newest or dt.datetime.now(dt.UTC))))


def _count(client: bigquery.Client, rows: _Rows) -> tuple[int, int, dt.datetime | None]:
    """How many rows there are, how many of them are in the buffer, when the last one was sent."""
    condition, settled = rows.deletable
    newest = f"MAX({rows.sent})" if rows.sent else "NULL"
    sql = (
        f"SELECT COUNT(*) AS found, COUNTIF(NOT ({condition})) AS fresh, {newest} AS newest "  # noqa: S608 - a table's own id
        f"FROM `{rows.table}` WHERE ({rows.condition})"
    )
    [row] = _query(client, sql, rows.ids, settled)
    return row.found, row.fresh, row.newest


def _delete(client: bigquery.Client, rows: _Rows) -> bool:
    """Deletes rows outside the buffer; False if BigQuery says that they are still in it."""
    condition, settled = rows.deletable
    sql = f"DELETE FROM `{rows.table}` WHERE ({rows.condition}) AND {condition}"  # noqa: S608
    try:
        list(_query(client, sql, rows.ids, settled))
    except BadRequest as error:
        if streaming_buffer.REFUSAL not in str(error):
            raise
        return False
    return True


def _query(
    client: bigquery.Client, sql: str, ids: Sequence[str], settled: dt.datetime | None = None
) -> Any:
    parameters: list[Any] = [bigquery.ArrayQueryParameter("ids", "STRING", ids)]
    if settled is not None:
        parameters.append(bigquery.ScalarQueryParameter("settled", "TIMESTAMP", settled))
    return queries.rows(client, sql, parameters)


def _erase_archive(pattern: str, persons: Persons, *, dry_run: bool) -> None:
    paths = match(pattern)
    messages = files = 0
    for path in paths:
        check_archive(path)
        found = archived(path, persons)
        if found and not dry_run:
            rewrite(path, persons)
        messages, files = messages + found, files + bool(found)
    verb = "would be rewritten" if dry_run else "rewritten"
    print(f"{pattern}: {files:,} of {len(paths):,} files {verb}, without {messages:,} messages")


@arguments.checked
def _ids(text: str) -> frozenset[str]:
    """The ids in the file; ``-`` is standard input."""
    ids = arguments.ids(text)
    if max(map(len, ids)) > MAX_ID_LENGTH:
        raise ValueError(f"an id has at most {MAX_ID_LENGTH} characters")
    return ids


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m pipeline.erase",
        description="Deletes the data of persons from the warehouse and the raw archive. Safe to "
        "repeat; exit code 1 if rows are left: in BigQuery's streaming buffer, or cut so that "
        "they cannot be assigned to a person.",
    )
    parser.add_argument(
        "--dataset", required=True, type=arguments.dataset, metavar="PROJECT.DATASET"
    )
    parser.add_argument(
        "--persons",
        "--students",
        required=True,
        type=_ids,
        metavar="FILE",
        help="their ids, one per line; - reads them from standard input; an id with blanks around "
        "it is matched with and without them",
    )
    parser.add_argument(
        "--archive", metavar="PATTERN", help="files of the raw archive to rewrite (.avro)"
    )
    parser.add_argument(
        "--dry_run", action="store_true", help="count what would be deleted, change nothing"
    )
    arguments.add_event_family(
        parser,
        "the kinds of events to delete theirs of; the registration of each says which field names "
        "a person",
    )
    add_pseudonym_key(
        parser,
        "a key under which the ids were replaced by pseudonyms: rows of the id and of all its "
        "pseudonyms are deleted; all keys of the run, the oldest first",
    )
    args = parser.parse_args(argv)
    try:
        args.pseudonym_key = pseudonym_keys(args.pseudonym_key)
    except ValueError as error:
        parser.error(str(error))
    if not any(family.person for family in args.event_family):
        names = ", ".join(family.name for family in args.event_family)
        parser.error(f"--event_family: no field of {names} names a person")
    return args


if __name__ == "__main__":
    sys.exit(main())
