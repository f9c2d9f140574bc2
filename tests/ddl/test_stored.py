"""What a file of a stored table declares, and the SQL that is made of it."""

import datetime as dt
import re

import pytest

from ddl import files, statements, stored
from ddl.stored import CREATED, UPDATED, StoredTable
from gcp.dataset import Dataset
from gcp.runs import Run
from tests.ddl.googlesql import GoogleSql
from warehouse import merge
from warehouse.script import DateWindow, IngestWindow, script

DATASET = Dataset("local-exams", "golden")
TABLES = stored.stored_tables(DATASET)
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
RUN = Run(pipeline_name="warehouse", env="prod", window_start=NOW, window_end=NOW)


FILES = (
    "touched_since",
    "touched_between",
    "touched_tests",
    "settings_fingerprint",
    "rules_fingerprint",
)


@pytest.fixture(params=TABLES, ids=lambda table: table.name)
def table(request: pytest.FixtureRequest) -> StoredTable:
    return request.param


def test_each_stands_after_what_it_reads() -> None:
    names = [table.name for table in TABLES]
    assert set(names) == set(files.find("stored"))
    for number, table in enumerate(TABLES):
        assert table.reads & set(names) <= set(names[:number])


def test_its_key_and_partition_are_never_null(table: StoredTable) -> None:
    modes = {field.name: field.mode for field in table.declared.schema}
    assert {modes[name] for name in (*table.key, *table.touched, table.partition)} == {"REQUIRED"}
    assert modes[CREATED] == modes[UPDATED] == "REQUIRED"


def test_its_view_has_its_columns(table: StoredTable, googlesql: GoogleSql) -> None:
    """Names and types, in their order; and each column a description."""
    queries = {query.name: query for query in statements.queries(DATASET)}
    declared = [
        (field.name, str(field.field_type).replace("FLOAT64", "DOUBLE"))
        for field in table.declared.schema
        if field.name in table.columns
    ]
    functions = [f"{table.live}_between"] if table.has_date else []
    for name in (table.live, *functions):
        found = googlesql.analyze(queries[name].sql).output_column_list
        got = [(column.name, str(column.column.type)) for column in found]
        assert got == [(name, kind) for name, kind in declared]
    described = queries[table.live].descriptions
    assert list(described) == list(table.columns)
    assert all(text.endswith(".") for text in described.values())


def test_googles_parser_takes_its_merge(table: StoredTable, googlesql: GoogleSql) -> None:
    text = merge.merge(DATASET, table)
    statement = text[text.index("MERGE") : text.index(";\nEND IF")]
    partitions = re.escape(f"IN UNNEST(run_partitions_{table.name})")
    statement = re.sub(partitions, "IS NOT NULL", statement)
    rows = ", ".join(
        f"CAST(NULL AS {field.field_type}) AS {field.name}"
        for field in table.declared.schema
        if field.name in table.columns
    )
    changed = f"(SELECT {rows}, FALSE AS is_vanished)"
    statement = statement.replace(f"USING run_changes_{table.name} AS", f"USING {changed} AS")
    analyzed = googlesql.analyze(statement.replace("run_now", "CURRENT_TIMESTAMP()"))
    assert len(analyzed.when_clause_list) == 3


@pytest.mark.parametrize("file", FILES)
def test_googles_analyzer_takes_what_a_run_reads(file: str, googlesql: GoogleSql) -> None:
    window = IngestWindow(NOW, NOW, dates=frozenset({NOW.date()}))
    sql = statements.render(DATASET, "runs", file, **window.parts).rstrip("\n")
    values = {
        "run_start": "TIMESTAMP '2026-03-02'",
        "run_end": "TIMESTAMP '2026-03-03'",
        "run_first_date": "DATE '2026-03-02'",
        "run_last_date": "DATE '2026-03-02'",
        "run_settings_before": "'1'",
        "run_settings": "'2'",
    }
    for name, value in values.items():
        sql = re.sub(rf"\b{name}\b", value, sql)
    googlesql.analyze(sql)


@pytest.mark.parametrize(
    "window",
    [IngestWindow(NOW, NOW, "-12", "3"), DateWindow(dt.date(2026, 3, 1), dt.date(2026, 3, 2))],
    ids=["ingest", "dates"],
)
def test_a_script_is_one_transaction_that_declares_what_it_uses(window) -> None:
    text = script(DATASET, TABLES, window, RUN, 0, dt.date.min, "d1")
    assert text.count("BEGIN TRANSACTION;") == text.count("COMMIT TRANSACTION;") == 1
    assert text.rstrip().endswith("COMMIT TRANSACTION;")
    assert text.count("MERGE ") == len(TABLES)
    declared = set(re.findall(r"DECLARE (run_\w+)", text))
    made = set(re.findall(r"CREATE OR REPLACE TEMP TABLE (run_\w+)", text))
    assert set(re.findall(r"\brun_\w+", text)) - {"run_id"} == declared | made
    assert "$" not in text


def test_a_window_names_the_partitions_that_it_reads() -> None:
    """Those that rows came to, and for copies of their events eight days around them."""
    window = IngestWindow(NOW, NOW, dates=frozenset({dt.date(2026, 3, 2), dt.date(2025, 1, 1)}))
    assert window.parts["arrived"] == "event_date IN (DATE '2025-01-01', DATE '2026-03-02')"
    assert window.parts["around"].count("DATE '") == 34
    text = script(DATASET, TABLES, window, RUN, 0, dt.date.min, "d1")
    assert window.parts["arrived"] in text
    assert window.parts["around"] in text
