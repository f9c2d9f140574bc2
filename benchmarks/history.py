"""The summaries of one day against the size of history, in DuckDB.

The SQL is that of ``ddl/exam_event/views``, translated; the rows are made inside DuckDB, 20,000 a
day in order of their date, so that its row groups prune as BigQuery's partitions do. A day's
summaries read the day and eight days around it, however much lies before and after: their cost must
not grow.
Processor time of all threads.
"""

import re
import statistics
import tempfile
from pathlib import Path

import duckdb
import sqlglot

from benchmarks.harness.measure import Figure, cpu_seconds
from benchmarks.harness.warehouse import read_by
from ddl import statements
from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT
from schemas.dates import EARLIEST_DATE, LATEST_DATE

_DATASET = Dataset(PROJECT, "history")
_DAY = "DATE '2023-01-11', DATE '2023-01-11'"
_ALL = f"DATE '{EARLIEST_DATE}', DATE '{LATEST_DATE}'"
_SUMMARIES = ("session_summary_between", "question_summary_between", "test_summary_between")
_TYPES = {"INT64": "BIGINT", "FLOAT64": "DOUBLE", "BOOL": "BOOLEAN", "TIMESTAMP": "TIMESTAMPTZ"}
_TYPES |= {"STRING": "VARCHAR", "BYTES": "BLOB"}

# A session is 25 rows: a start, eleven questions looked at and answered, a submission, an end.
_ROWS = """
INSERT INTO events_fact BY NAME
SELECT
  'event-' || i AS event_id,
  CASE
    WHEN i % 25 = 0 THEN 'session_start'
    WHEN i % 25 = 24 THEN 'session_end'
    WHEN i % 25 = 23 THEN 'test_submit'
    WHEN i % 2 = 0 THEN 'page_view'
    ELSE 'answer_submit'
  END AS event_type,
  'test-' || i // 25 % 40 AS test_id,
  'student-' || i // 25 % 20000 AS student_id,
  'session-' || i // 25 AS session_id,
  day + INTERVAL (i % $rows_a_day + 14400) SECOND AS client_ts,
  CASE WHEN i % 25 BETWEEN 1 AND 22 THEN 'question-' || (i % 25 - 1) // 2 END AS question_id,
  CASE WHEN event_type = 'answer_submit' THEN i % 3 > 0 END AS is_correct_answer,
  CASE WHEN event_type = 'answer_submit' THEN 1 END AS attempt_no,
  CASE WHEN event_type IN ('session_start', 'answer_submit') THEN 1800 END
    AS session_duration_seconds,
  day AS event_date,
  client_ts AS publish_ts,
  client_ts AS ingest_ts,
  'message-' || i AS message_id,
  'UNKNOWN' AS late_status,
  'benchmark' AS pipeline_version
FROM (
  SELECT i, DATE '2023-01-01' + CAST(i // $rows_a_day AS INTEGER) AS day
  FROM range($first, $last) AS made(i)
)
"""


def run(quick: bool) -> list[Figure]:
    """Seconds of one day's summaries at each size, and their growth."""
    sizes, rows_a_day, rounds = (1_000_000, 10_000_000, 50_000_000), 20_000, 3
    if quick:
        sizes, rows_a_day, rounds = (6_000, 7_000, 8_000), 500, 1
    seconds: list[float] = []
    everything = 0.0
    with tempfile.TemporaryDirectory() as folder:
        connection = _empty(Path(folder))
        before = 0
        for size in sizes:
            span = {"first": before, "last": size, "rows_a_day": rows_a_day}
            connection.execute(_ROWS, span)
            connection.execute("CHECKPOINT")
            before = size
            taken = [cpu_seconds(lambda: _summarise(connection, _DAY)) for _ in range(rounds + 1)]
            seconds.append(statistics.median(taken[-rounds:]))
            if size == sizes[0]:  # over all of the largest it would take an hour
                everything = cpu_seconds(lambda: _summarise(connection, _ALL))
        connection.close()
    figures = [
        Figure(f"history_{size}_seconds", taken, f"one day's summaries of {size:,} rows", "s")
        for size, taken in zip(sizes, seconds, strict=True)
    ]
    everything_description = f"the same views over all {sizes[0]:,} rows"
    figures.append(Figure("history_all_seconds", everything, everything_description, "s"))
    growth = f"one day's summaries, {sizes[-1]:,} rows over {sizes[0]:,}"
    return [Figure("history_growth", seconds[-1] / seconds[0], growth), *figures]


def _empty(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database with the tables and the table functions of the warehouse."""
    connection = duckdb.connect(str(folder / "history.duckdb"))
    connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '6GB'")
    for table in statements.tables(_DATASET):
        columns = ", ".join(
            f"{field.name} {_TYPES.get(field.field_type, field.field_type)}"
            for field in table.schema
        )
        connection.execute(f"CREATE TABLE {table.table_id} ({columns})")
    for query in read_by(*_SUMMARIES):
        body = re.sub(r"`[^`]*\.(\w+)`", r"\1", query.body)
        (sql,) = sqlglot.transpile(body, read="bigquery", write="duckdb")
        if query.kind == "VIEW":
            connection.execute(f"CREATE VIEW {query.name} AS {sql}")
        else:
            connection.execute(f"CREATE MACRO {query.name}(first_date, last_date) AS TABLE {sql}")
    return connection


def _summarise(connection: duckdb.DuckDBPyConnection, dates: str) -> None:
    for name in _SUMMARIES:
        rows = connection.execute(f"SELECT * FROM {name}({dates})").fetchall()  # noqa: S608
        if not rows:
            raise AssertionError(f"{name} finds nothing")
