"""Forgets students: ``python -m pipeline.erase --help``. Says nothing of who they are."""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from apache_beam.io.filesystem import BeamIOError
from google.cloud import bigquery

from gcp import arguments
from gcp.clients import bigquery_client
from pipeline.erase.students import Students, archived, rewrite
from pipeline.graph import DEAD_LETTERS_TABLE
from pipeline.sources.files import check_archive, match
from schemas.families import FAMILIES

# How long BigQuery may keep streamed rows where a DELETE cannot reach them.
STREAMING_BUFFER = dt.timedelta(minutes=90)
# When a row was written, by table; others are not streamed into.
_WRITTEN = {family.table: "ingest_ts" for family in FAMILIES.values()} | {
    DEAD_LETTERS_TABLE: "failed_at"
}
_IDS_IN_A_QUERY = 10_000
_THEIRS = "TO_HEX(SHA256(student_id)) IN UNNEST(@students)"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is 1 where it failed or something is left."""
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
    if left:
        print(f"error: {left:,} rows are left: run it again later", file=sys.stderr)
    return 1 if left else 0


def _erase(client: bigquery.Client, args: argparse.Namespace) -> int:
    """Tells in lines what it does; gives the number of rows that cannot be deleted yet."""
    left = 0
    settled = dt.datetime.now(dt.UTC) - STREAMING_BUFFER
    for table, condition, parameters in _rows(client, args):
        found, fresh = _count(client, table, condition, parameters, settled)
        if not args.dry_run and found > fresh:
            _delete(client, table, condition, parameters, settled)
        verb = "would be deleted" if args.dry_run else "deleted"
        waiting = f", {fresh:,} still in the streaming buffer" if fresh else ""
        print(f"{table}: {found - fresh:,} rows {verb}{waiting}", flush=True)
        left += 0 if args.dry_run else fresh
    if args.archive is not None:
        _erase_archive(args.archive, args.students, dry_run=args.dry_run)
    return left


def _rows(
    client: bigquery.Client, args: argparse.Namespace
) -> Iterator[tuple[bigquery.Table, str, list[bigquery.ArrayQueryParameter]]]:
    """Where the students' rows are: (table, condition, parameters of the condition)."""
    client.get_table(args.dataset.table(DEAD_LETTERS_TABLE))  # a mistyped dataset holds nothing
    for item in client.list_tables(str(args.dataset)):
        table = client.get_table(item.reference)
        columns = {field.name for field in table.schema}
        if table.table_id == DEAD_LETTERS_TABLE:
            names = _letters_of(client, table, args.students)
            for start in range(0, len(names) or 1, _IDS_IN_A_QUERY):
                some = names[start : start + _IDS_IN_A_QUERY]
                messages = bigquery.ArrayQueryParameter("messages", "STRING", some)
                yield table, "message_id IN UNNEST(@messages)", [messages]
        elif table.table_type == "TABLE" and "student_id" in columns:
            yield table, _THEIRS, [_digests(args.students)]


def _digests(students: Students) -> bigquery.ArrayQueryParameter:
    return bigquery.ArrayQueryParameter("students", "STRING", students.digests)


def _letters_of(client: bigquery.Client, letters: bigquery.Table, students: Students) -> list[str]:
    """The message ids of the dead letters that are the students', by what can be read of them."""
    sql = (
        f"SELECT message_id, {_THEIRS} AS theirs, payload, TO_JSON_STRING(attributes) AS sent "  # noqa: S608 - a table's own id
        f"FROM `{letters}`"
    )
    config = bigquery.QueryJobConfig(query_parameters=[_digests(students)])
    rows = client.query(sql, job_config=config).result()
    return sorted(
        {
            row.message_id
            for row in rows
            if row.theirs or students.own(row.payload or b"", json.loads(row.sent or "null"))
        }
    )


def _count(
    client: bigquery.Client, table: bigquery.Table, condition: str, parameters: Any, settled: Any
) -> tuple[int, int]:
    """How many rows there are, and how many of them are too fresh to be deleted."""
    sql = (
        f"SELECT COUNT(*) AS found, COUNTIF(NOT ({_settled(table)})) AS fresh "  # noqa: S608 - a table's own id
        f"FROM `{table}` WHERE {condition}"
    )
    [row] = _query(client, sql, parameters, settled)
    return row.found, row.fresh


def _delete(
    client: bigquery.Client, table: bigquery.Table, condition: str, parameters: Any, settled: Any
) -> None:
    sql = f"DELETE FROM `{table}` WHERE {condition} AND {_settled(table)}"  # noqa: S608
    _query(client, sql, parameters, settled)


def _settled(table: bigquery.Table) -> str:
    """What a row that can be deleted is like: written before ``@settled``."""
    written = _WRITTEN.get(table.table_id)
    return f"{written} < @settled" if written else "@settled IS NOT NULL"


def _query(client: bigquery.Client, sql: str, parameters: Any, settled: dt.datetime) -> Any:
    asked = [*parameters, bigquery.ScalarQueryParameter("settled", "TIMESTAMP", settled)]
    config = bigquery.QueryJobConfig(query_parameters=asked)
    return list(client.query(sql, job_config=config).result())


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
    if max(map(len, ids)) > 128:
        raise ValueError("an id has at most 128 characters")
    return Students(ids)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m pipeline.erase",
        description="Deletes what the warehouse and the raw archive hold of students. Safe to "
        "repeat; exit code 1 where rows are left that BigQuery cannot delete yet.",
    )
    parser.add_argument(
        "--dataset", required=True, type=arguments.dataset, metavar="PROJECT.DATASET"
    )
    parser.add_argument(
        "--students",
        required=True,
        type=_students,
        metavar="FILE",
        help="their ids, one a line; - reads them from standard input",
    )
    parser.add_argument(
        "--archive", metavar="PATTERN", help="files of the raw archive to rewrite (.avro)"
    )
    parser.add_argument(
        "--dry_run", action="store_true", help="count what would go, change nothing"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
