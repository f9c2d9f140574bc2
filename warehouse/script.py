"""One window of a run as one BigQuery script: a single transaction over all tables."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import ClassVar, TypeAlias

from ddl import statements
from ddl.stored import StoredTable
from gcp.dataset import Dataset
from gcp.runs import ETL_METADATA, Run, Status
from schemas.dates import MARGIN_DAYS
from warehouse import merge


@dataclasses.dataclass(frozen=True)
class IngestWindow:
    """Rows that came within [start, end), by ingest_ts.

    Attributes:
        settings: the fingerprint of the lateness settings as of the last run.
        rules: that of the lateness rules, which tests complete.
        dates: of the partitions that rows can have come to; None for any.
    """

    start: dt.datetime
    end: dt.datetime
    settings: str | None = None
    rules: str | None = None
    dates: frozenset[dt.date] | None = None

    touched = "touched_since"

    @property
    def parts(self) -> dict[str, str]:
        """What ``touched`` has filled in: conditions on partitions."""
        return {"arrived": _any_of(self.dates, 0), "around": _any_of(self.dates, MARGIN_DAYS)}

    @property
    def variables(self) -> dict[str, str]:
        """The script's variables that ``touched`` reads, declared."""
        return {
            "run_start TIMESTAMP": _timestamp(self.start),
            "run_end TIMESTAMP": _timestamp(self.end),
            "run_settings_before STRING": _fingerprint(self.settings),
            "run_rules_before STRING": _fingerprint(self.rules),
        }


@dataclasses.dataclass(frozen=True)
class DateWindow:
    """The sessions of the dates from ``first`` to ``last``."""

    first: dt.date
    last: dt.date

    touched = "touched_between"
    parts: ClassVar[dict[str, str]] = {}

    @property
    def start(self) -> dt.datetime:
        """The beginning of the first date, UTC."""
        return dt.datetime.combine(self.first, dt.time(), dt.UTC)

    @property
    def end(self) -> dt.datetime:
        """The end of the last date, UTC."""
        return dt.datetime.combine(self.last + dt.timedelta(days=1), dt.time(), dt.UTC)

    @property
    def variables(self) -> dict[str, str]:
        """The script's variables that ``touched`` reads, declared."""
        return {
            "run_first_date DATE": f"DATE '{self.first}'",
            "run_last_date DATE": f"DATE '{self.last}'",
        }


Window: TypeAlias = IngestWindow | DateWindow


def script(
    dataset: Dataset,
    tables: Sequence[StoredTable],
    window: Window,
    run: Run,
    retries: int,
    frozen_before: dt.date,
    definition: str,
) -> str:
    """The script that brings the tables up to date, and records that it did.

    Args:
        dataset: where everything is.
        tables: each after those that it reads.
        window: which sessions to look at.
        run: for its row in etl_metadata.
        retries: how often the window was tried before.
        frozen_before: sessions of earlier dates are left as they are.
        definition: of the tables, as ``definition.fingerprint`` gives it.
    """
    first = [table for table in tables if table.level == 1]
    second = [table for table in tables if table.level > 1]
    declared = {
        "run_now TIMESTAMP": "CURRENT_TIMESTAMP()",
        "run_frozen_before DATE": f"DATE '{frozen_before}'",
        "run_rows_read INT64": "0",
        "run_settings STRING": "NULL",
        "run_rules STRING": "NULL",
        **window.variables,
    }
    touched = _part(dataset, window.touched, **window.parts)
    parts = [
        *(f"DECLARE {name} DEFAULT {value};" for name, value in declared.items()),
        *(merge.variables(table) for table in tables),
        "BEGIN TRANSACTION;\n",
        f"SET run_settings = (\n{_part(dataset, 'settings_fingerprint')});\n",
        f"SET run_rules = (\n{_part(dataset, 'rules_fingerprint')});\n",
        f"CREATE OR REPLACE TEMP TABLE run_touched AS\n{touched};\n",
        *_touched_tests(dataset, window),
        _part(dataset, "read_touched"),
        "SET run_rows_read = (SELECT COUNT(*) FROM run_session_events);\n",
        *(merge.differences(dataset, table, first) for table in first),
        *(merge.merge(dataset, table) for table in first),
        *(
            merge.differences(dataset, table, first) + "\n" + merge.merge(dataset, table)
            for table in second
        ),
        _success(dataset, tables, run, retries, definition),
        "COMMIT TRANSACTION;\n",
    ]
    return "\n".join(parts)


def _touched_tests(dataset: Dataset, window: Window) -> Iterator[str]:
    """Reads the column test_id of all events; so only where it matters."""
    if isinstance(window, IngestWindow):
        select = _part(dataset, "touched_tests")
        changed = "run_rules IS DISTINCT FROM run_rules_before"
        yield f"IF {changed} THEN\nINSERT INTO run_touched\n{select};\nEND IF;\n"


def _fingerprint(text: str | None) -> str:
    return "NULL" if text is None else f"'{int(text)}'"


def _part(dataset: Dataset, name: str, **parts: str) -> str:
    """A file of ``ddl/<event family>/runs``."""
    return statements.render(dataset, "runs", name, **parts)


def _any_of(dates: frozenset[dt.date] | None, margin: int) -> str:
    """A condition on event_date that BigQuery can prune by: these dates, and days around them."""
    if dates is None:
        return "TRUE"
    days = range(-margin, margin + 1)
    near = {date + dt.timedelta(days=day) for date in dates for day in days}
    listed = ", ".join(f"DATE '{date}'" for date in sorted(near))
    return f"event_date IN ({listed})"


def _success(
    dataset: Dataset, tables: Sequence[StoredTable], run: Run, retries: int, definition: str
) -> str:
    written = [f"run_written_{table.name}" for table in tables]
    by_table = ", ".join(f"run_written_{table.name} AS {table.name}" for table in tables)
    env = "NULL" if run.env is None else f"'{run.env}'"
    return f"""\
INSERT INTO `{dataset.table(ETL_METADATA)}` (
  pipeline_name, run_id, env, window_start, window_end, status, started_at, finished_at,
  rows_read, rows_written, records_failed, retry_count, details
)
VALUES (
  '{run.pipeline_name}', '{run.run_id}', {env}, {_timestamp(run.window_start)},
  {_timestamp(run.window_end)}, '{Status.SUCCEEDED}', {_timestamp(run.started_at)},
  CURRENT_TIMESTAMP(), run_rows_read, {" + ".join(written)}, 0, {retries},
  TO_JSON(STRUCT(
    STRUCT({by_table}) AS written,
    run_settings AS settings,
    run_rules AS rules,
    '{definition}' AS definition
  ))
);
"""


def _timestamp(moment: dt.datetime | None) -> str:
    if moment is None:
        return "NULL"
    return f"TIMESTAMP '{moment.astimezone(dt.UTC).isoformat(sep=' ')}'"
