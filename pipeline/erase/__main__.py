"""Deletes students: ``python -m pipeline.erase --help``. Never prints their ids."""

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

from gcp import arguments
from gcp.clients import bigquery_client
from pipeline.erase.students import Students, archived, rewrite
from pipeline.sources.files import check_archive, match
from schemas.families import FAMILIES
from schemas.limits import MAX_ID_LENGTH
from schemas.tables import DEAD_LETTERS

# How long rows stay in BigQuery's streaming buffer at most. Used only to say when to try again, and
# if a table reports a buffer without its age.
STREAMING_BUFFER = dt.timedelta(minutes=90)
# A row says when it was sent, the buffer when it arrived.
_ON_THE_WAY = dt.timedelta(minutes=5)
_BUFFER_REFUSAL = "would affect rows in the streaming buffer"
# When a row was sent, by table; others are not streamed into.
_SENT = {family.table: "ingest_ts" for family in FAMILIES.values()} | {DEAD_LETTERS: "failed_at"}
_IDS_IN_A_QUERY = 10_000
_THEIRS = "TO_HEX(SHA256(student_id)) IN UNNEST(@ids)"
# Two sources may use the same message ids, and a file that is replaced uses its own again.
_LETTER = (
    "TO_HEX(SHA256(TO_JSON_STRING(STRUCT(message_id, source, TO_HEX(SHA256(payload)) AS payload))))"
)
_CUT = "payload_truncated AND student_id IS NULL"


@dataclasses.dataclass(frozen=True)
class _Rows:
    """Rows of a table to delete: those that match a condition with a parameter ``@ids``."""

    table: bigquery.Table
    condition: str
    ids: Sequence[str]

    @functools.cached_property
    def deletable(self) -> tuple[str, dt.datetime | None]:
        """A condition for rows outside the streaming buffer, and its parameter ``@settled``."""
        buffer, sent = self.table.streaming_buffer, _SENT.get(self.table.table_id)
        if buffer is None or sent is None:
            return "TRUE", None
        if buffer.oldest_entry_time is None:
            settled = dt.datetime.now(dt.UTC) - STREAMING_BUFFER
        else:
            settled = buffer.oldest_entry_time - _ON_THE_WAY
        return f"IFNULL({sent} < @settled, FALSE)", settled


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
            again = self.newest + STREAMING_BUFFER
            yield (
                f"{self.rows:,} rows are still in BigQuery's streaming buffer, where they cannot "
                f"be deleted: run it again after {again:%Y-%m-%d %H:%M} UTC"
            )
        if self.cut:
            yield (
                f"{self.cut:,} dead letters are cut and cannot be assigned to a student: find "
                f"their messages in the archive and set student_id ({self.query})"
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is 1 if it failed or rows are left."""
    args = _parse(argv)
    try:
        with bigquery_client(args.dataset.project) as client:
            left = _erase(client, args)
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
    letters = client.get_table(args.dataset.table(DEAD_LETTERS))  # absent: a mistyped dataset
    keys, cut = _letters_of(client, letters, args.students)
    query = f"SELECT source, message_id FROM `{letters}` WHERE {_CUT}"  # noqa: S608 - a table's own id
    left = _Left(cut=cut, query=query)
    for start in range(0, len(keys) or 1, _IDS_IN_A_QUERY):
        some = _Rows(letters, f"{_LETTER} IN UNNEST(@ids)", keys[start : start + _IDS_IN_A_QUERY])
        _clear(client, some, left, dry_run=args.dry_run)
    for item in client.list_tables(str(args.dataset)):
        table = client.get_table(item.reference)
        has_student = any(field.name == "student_id" for field in table.schema)
        if has_student and table.table_type == "TABLE" and table.table_id != DEAD_LETTERS:
            theirs = _Rows(table, _THEIRS, args.students.digests)
            _clear(client, theirs, left, dry_run=args.dry_run)
    if args.archive is not None:
        _erase_archive(args.archive, args.students, dry_run=args.dry_run)
    return left


def _letters_of(
    client: bigquery.Client, letters: bigquery.Table, students: Students
) -> tuple[list[str], int]:
    """The keys of the students' dead letters; how many more are cut, so that they may be theirs.

    A row's student_id decides if it has one; else the readable part of the message does.
    """
    sql = (
        f"SELECT {_LETTER} AS letter, student_id IS NOT NULL AS assigned, {_THEIRS} AS theirs, "  # noqa: S608 - a table's own id
        f"IFNULL({_CUT}, FALSE) AS cut, IF(student_id IS NULL, payload, NULL) AS payload, "
        f"TO_JSON_STRING(attributes) AS sent FROM `{letters}`"
    )
    keys, cut = set(), 0
    for row in _query(client, sql, students.digests):
        sent = json.loads(row.sent or "null")
        if row.theirs if row.assigned else students.own(row.payload or b"", sent):
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
    newest = f"MAX({_SENT[rows.table.table_id]})" if rows.table.table_id in _SENT else "NULL"
    sql = (
        f"SELECT COUNT(*) AS found, COUNTIF(NOT ({condition})) AS fresh, {newest} AS newest "  # noqa: S608 - a table's own id
        f"FROM `{rows.table}` WHERE {rows.condition}"
    )
    [row] = _query(client, sql, rows.ids, settled)
    return row.found, row.fresh, row.newest


def _delete(client: bigquery.Client, rows: _Rows) -> bool:
    """Deletes rows outside the buffer; False if BigQuery says that they are still in it."""
    condition, settled = rows.deletable
    sql = f"DELETE FROM `{rows.table}` WHERE {rows.condition} AND {condition}"  # noqa: S608
    try:
        list(_query(client, sql, rows.ids, settled))
    except BadRequest as error:
        if _BUFFER_REFUSAL not in str(error):
            raise
        return False
    return True


def _query(
    client: bigquery.Client, sql: str, ids: Sequence[str], settled: dt.datetime | None = None
) -> Any:
    parameters: list[Any] = [bigquery.ArrayQueryParameter("ids", "STRING", ids)]
    if settled is not None:
        parameters.append(bigquery.ScalarQueryParameter("settled", "TIMESTAMP", settled))
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    return client.query(sql, job_config=config).result()


def _erase_archive(pattern: str, students: Students, *, dry_run: bool) -> None:
    paths = match(pattern)
    messages = files = 0
    for path in paths:
        check_archive(path)
        found = archived(path, students)
        if found and not dry_run:
            rewrite(path, students)
        messages, files = messages + found, files + bool(found)
    verb = "would be rewritten" if dry_run else "rewritten"
    print(f"{pattern}: {files:,} of {len(paths):,} files {verb}, without {messages:,} messages")


@arguments.checked
def _students(text: str) -> Students:
    """The file with the ids; ``-`` is standard input."""
    ids = arguments.ids(text)
    if max(map(len, ids)) > MAX_ID_LENGTH:
        raise ValueError(f"an id has at most {MAX_ID_LENGTH} characters")
    return Students(ids)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m pipeline.erase",
        description="Deletes the data of students from the warehouse and the raw archive. Safe to "
        "repeat; exit code 1 if rows are left: in BigQuery's streaming buffer, or cut so that "
        "they cannot be assigned to a student.",
    )
    parser.add_argument(
        "--dataset", required=True, type=arguments.dataset, metavar="PROJECT.DATASET"
    )
    parser.add_argument(
        "--students",
        required=True,
        type=_students,
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
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
