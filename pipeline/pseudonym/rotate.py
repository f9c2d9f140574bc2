"""Replaces stored pseudonyms after a rotation of keys, one partition after the other.

What is left to do is what the tables say, so that a run which was killed is simply repeated.
"""

import contextlib
import dataclasses
import datetime as dt
import io
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.cloud import bigquery

from gcp import queries, streaming_buffer
from gcp.dataset import Dataset
from pipeline.pseudonym.stored import StoredIds, ids_in
from transforms.pseudonyms import PseudonymChain

_REPLACEMENTS = "pseudonym_replacements_"
_KEPT_AFTER_A_KILL = dt.timedelta(days=1)
_SCHEMA = [bigquery.SchemaField(name, "STRING") for name in ("place", "before", "after")]
_BATCH = 50_000


@dataclasses.dataclass(frozen=True)
class _Work:
    """A table with ids, and the parts of it in which some are left to replace.

    Attributes:
        rows: how many of each partition; its day is None where the table has no partitions.
        fresh: how many rows the streaming buffer holds back, and when the last one was sent.
    """

    table: bigquery.Table
    columns: Sequence[StoredIds]
    rows: Mapping[dt.date | None, int]
    fresh: int
    newest: dt.datetime | None


def rotate(
    client: bigquery.Client,
    dataset: Dataset,
    chain: PseudonymChain,
    replaces: str | None,
    *,
    dry_run: bool,
) -> list[str]:
    """Replaces pseudonyms in every table, and prints a line for each.

    Args:
        client: of the project that has the dataset.
        dataset: every table of it that has ids.
        chain: gives the new pseudonym of an old one.
        replaces: the key of the old ones; None for ids that were stored as sent.
        dry_run: whether to count only.

    Returns:
        Lines about what is left.
    """
    left: list[str] = []
    with _replacements(client, dataset) as replacements:
        for item in client.list_tables(str(dataset), **queries.CALL):
            if item.table_type != "TABLE" or item.table_id.startswith(_REPLACEMENTS):
                continue
            try:
                work = _work(client, client.get_table(item.reference, **queries.CALL), replaces)
            except ValueError as error:
                left.append(str(error))
                continue
            if work is None:
                continue
            days, rows = len(work.rows), sum(work.rows.values())
            if dry_run:
                done = f"{rows:,} rows in {days:,} partitions would be looked at"
            else:
                replaced = sum(
                    _replace(client, work, day, replacements, chain, replaces) for day in work.rows
                )
                done = f"{replaced:,} values in {days:,} partitions replaced"
            print(f"{work.table}: {done}", flush=True)
            if work.fresh and work.newest is not None and not dry_run:
                line = streaming_buffer.when_to_repeat(work.fresh, work.newest, "changed")
                left.append(f"{item.table_id}: {line}")
    return left


@contextlib.contextmanager
def _replacements(client: bigquery.Client, dataset: Dataset) -> Iterator[bigquery.Table]:
    """A table for old and new values. Not query parameters: BigQuery keeps those with the job."""
    name = f"{_REPLACEMENTS}{uuid.uuid4().hex[:8]}"
    table = bigquery.Table(dataset.table(name), _SCHEMA)
    table.expires = dt.datetime.now(dt.UTC) + _KEPT_AFTER_A_KILL
    client.create_table(table, **queries.CALL)
    try:
        yield table
    finally:
        client.delete_table(table, not_found_ok=True, **queries.CALL)


def _work(client: bigquery.Client, table: bigquery.Table, replaces: str | None) -> _Work | None:
    columns = list(ids_in(table))
    if not columns:
        return None
    wanted = " OR ".join(column.wanted(replaces) for column in columns)
    condition, settled = streaming_buffer.settled(table)
    sent = streaming_buffer.sent_column(table.table_id)
    sql = (
        f"SELECT {_partition(table) or 'NULL'} AS day, COUNTIF({condition}) AS settled, "  # noqa: S608
        f"COUNTIF(NOT ({condition})) AS fresh, {f'MAX({sent})' if sent else 'NULL'} AS newest "
        f"FROM `{table}` WHERE {wanted} GROUP BY day ORDER BY day"
    )
    found = list(_query(client, sql, settled=settled).result(**queries.CALL))
    newest = max((row.newest for row in found if row.newest is not None), default=None)
    rows = {row.day: row.settled for row in found if row.settled}
    return _Work(table, columns, rows, sum(row.fresh for row in found), newest)


def _partition(table: bigquery.Table) -> str | None:
    partitioning = table.time_partitioning
    return None if partitioning is None else partitioning.field


def _replace(
    client: bigquery.Client,
    work: _Work,
    day: dt.date | None,
    replacements: bigquery.Table,
    chain: PseudonymChain,
    replaces: str | None,
) -> int:
    """Replaces the values of a partition; returns their number."""
    table = work.table
    condition, settled = streaming_buffer.settled(table)
    partition = _partition(table)
    if partition is not None:
        condition += f" AND {partition} " + ("IS NULL" if day is None else "= @day")
    places = {column.column: column for column in work.columns}
    found = ", ".join(
        f"STRUCT('{name}' AS place, IF({column.wanted(replaces)}, {column.text}, NULL) AS before)"
        for name, column in places.items()
    )
    sql = (
        f"SELECT DISTINCT value.place, value.before FROM `{table}`, UNNEST([{found}]) AS value "  # noqa: S608
        f"WHERE {condition} AND value.before IS NOT NULL"
    )
    values = []
    for place, before in _query(client, sql, day, settled).result(**queries.CALL):
        after = places[place].new(before, chain, replaces)
        if after != before:
            values.append({"place": place, "before": before, "after": after})
    replaced = 0
    for start in range(0, len(values), _BATCH):
        some = values[start : start + _BATCH]
        _load(client, some, replacements)
        for name in sorted({value["place"] for value in some}):
            column = places[name]
            sql = (
                f"UPDATE `{table}` AS t SET {name} = {column.as_column} "  # noqa: S608
                f"FROM `{replacements}` AS r WHERE r.place = '{name}' AND r.before = {column.text} "
                f"AND {condition} AND {column.wanted(replaces)}"
            )
            job = _query(client, sql, day, settled)
            job.result(**queries.CALL)
            replaced += job.num_dml_affected_rows or 0
    return replaced


def _load(
    client: bigquery.Client, values: Sequence[Mapping[str, str]], table: bigquery.Table
) -> None:
    """Replaces the rows of a table."""
    config = bigquery.LoadJobConfig(
        schema=_SCHEMA,
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )
    data = b"\n".join(json.dumps(value).encode() for value in values)
    # Without a size it is sent as a resumable upload, which survives an outage.
    client.load_table_from_file(io.BytesIO(data), table, job_config=config).result()


def _query(
    client: bigquery.Client,
    sql: str,
    day: dt.date | None = None,
    settled: dt.datetime | None = None,
) -> bigquery.QueryJob:
    parameters: list[Any] = []
    if day is not None:
        parameters.append(bigquery.ScalarQueryParameter("day", "DATE", day))
    if settled is not None:
        parameters.append(bigquery.ScalarQueryParameter("settled", "TIMESTAMP", settled))
    return queries.start_query(client, sql, parameters)
