"""The SQL that makes one stored table equal to what its SELECT gives for the touched keys.

Names that begin with ``run_`` are temporary tables and variables of the script. Nothing is written
where nothing differs, and rows that do not differ are not written.
"""

from collections.abc import Iterable

from ddl import files
from ddl.stored import CREATED, UPDATED, StoredTable
from gcp.dataset import Dataset

# A run's temporary table of the touched sessions, and with it the keys of level 1.
SESSIONS = "run_sessions"


def variables(table: StoredTable) -> str:
    """Declares the script's variables for a table."""
    kind = "DATE" if table.has_date else "INT64"
    return (
        f"DECLARE run_written_{table.name} INT64 DEFAULT 0;\n"
        f"DECLARE run_partitions_{table.name} ARRAY<{kind}>;"
    )


def differences(dataset: Dataset, table: StoredTable, sources: Iterable[StoredTable]) -> str:
    """Finds the rows of the touched keys that differ: ``run_changes_NAME``.

    Args:
        dataset: where the tables are.
        table: of level 2, if the touched keys are those of ``sources``.
        sources: the tables of level 1 of the run; their differences were found before.
    """
    name, key = table.name, table.key
    wanted = [f"wanted.{column}" for column in table.columns]
    kept = [f"kept.{column}" for column in table.columns]
    columns = [
        f"COALESCE(wanted.{column}, kept.{column}) AS {column}"
        if column in key
        else f"wanted.{column}"
        for column in table.columns
    ]
    same_key = " AND ".join(f"wanted.{column} = kept.{column}" for column in key)
    return f"""\
{_keys(table, sources)}
CREATE OR REPLACE TEMP TABLE run_rows_{name} AS
{table.select(dataset, _sources(dataset, table))};

IF EXISTS (SELECT 1 FROM run_rows_{name} GROUP BY {", ".join(key)} HAVING COUNT(*) > 1) THEN
  RAISE USING MESSAGE = '{name}: several rows have one {", ".join(key)}';
END IF;

CREATE OR REPLACE TEMP TABLE run_kept_{name} AS
SELECT stored.*
FROM `{dataset.table(name)}` AS stored
INNER JOIN {_key_table(table)} USING ({", ".join(table.touched)});

CREATE OR REPLACE TEMP TABLE run_changes_{name} AS
SELECT
  {_lines(columns, 1)},
  wanted.{key[0]} IS NULL AS is_vanished,
  kept.{table.partition} AS kept_partition
FROM run_rows_{name} AS wanted
FULL JOIN run_kept_{name} AS kept ON {same_key}
WHERE
  wanted.{key[0]} IS NULL
  OR kept.{key[0]} IS NULL
  OR TO_JSON_STRING(STRUCT({", ".join(wanted)})) != TO_JSON_STRING(STRUCT({", ".join(kept)}));

SET run_written_{name} = (SELECT COUNT(*) FROM run_changes_{name});
"""


def merge(dataset: Dataset, table: StoredTable) -> str:
    """Writes the differences; the partitions that it touches are known by then."""
    name, columns = table.name, table.columns
    updates = [f"{column} = changed.{column}" for column in columns if column not in table.key]
    values = [f"changed.{column}" for column in columns]
    same_key = " AND ".join(f"stored.{column} = changed.{column}" for column in table.key)
    return f"""\
IF run_written_{name} > 0 THEN
  SET run_partitions_{name} = ARRAY(
    SELECT DISTINCT partition_value
    FROM (
      SELECT {table.partition} AS partition_value FROM run_changes_{name} WHERE NOT is_vanished
      UNION ALL
      SELECT kept_partition AS partition_value FROM run_changes_{name}
    )
    WHERE partition_value IS NOT NULL
  );
  MERGE `{dataset.table(name)}` AS stored
  USING run_changes_{name} AS changed
  ON {same_key} AND stored.{table.partition} IN UNNEST(run_partitions_{name})
  WHEN MATCHED AND changed.is_vanished THEN DELETE
  WHEN MATCHED THEN UPDATE SET
    {_lines([*updates, f"{UPDATED} = run_now"], 2)}
  WHEN NOT MATCHED AND NOT changed.is_vanished THEN INSERT (
    {_lines([*columns, CREATED, UPDATED], 2)}
  )
  VALUES (
    {_lines([*values, "run_now", "run_now"], 2)}
  );
END IF;
"""


def _key_table(table: StoredTable) -> str:
    return SESSIONS if table.level == 1 else f"run_keys_{table.name}"


def _keys(table: StoredTable, sources: Iterable[StoredTable]) -> str:
    """The touched keys of a table of level 2: those of the sources' rows before and after."""
    if table.level == 1:
        return ""
    touched = ", ".join(table.touched)
    rows = "\n  UNION ALL\n  ".join(
        f"SELECT {touched} FROM run_{state}_{source.name}"
        for source in sources
        if set(table.touched) <= set(source.columns)
        for state in ("kept", "rows")
    )
    return f"""\
CREATE OR REPLACE TEMP TABLE run_keys_{table.name} AS
SELECT DISTINCT {touched}
FROM (
  {rows}
);
"""


def _sources(dataset: Dataset, table: StoredTable) -> dict[str, str]:
    if table.level == 1:
        stored = files.find("stored")
        return {
            name: f"run_rows_{name}" if name in stored else f"run_{name}" for name in table.reads
        }
    touched = ", ".join(table.touched)
    return {
        name: f"(SELECT stored.* FROM `{dataset.table(name)}` AS stored "
        f"INNER JOIN run_keys_{table.name} USING ({touched}))"
        for name in table.reads
    }


def _lines(items: Iterable[str], depth: int) -> str:
    return (",\n" + "  " * depth).join(items)
