"""A query for one day reads seventeen partitions, by Google's own plan and by what it answers."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from zetasql.types import (
    ResolvedColumnRef,
    ResolvedFilterScan,
    ResolvedFunctionCall,
    ResolvedLiteral,
    ResolvedTableScan,
)

from ddl import files, statements
from gcp.dataset import Dataset
from schemas.families import DEFAULT_FAMILY
from tests.ddl import golden
from tests.ddl.googlesql import GoogleSql
from tests.ddl.stored_sql import without_stored

DAY = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
PARTITION = {
    "events_fact": "event_date",
    "session_changes_fact": "event_date",
    "dead_letters": "failed_date",
}
Row = dict[str, Any]


def functions_of_events() -> Iterator[str]:
    """Those that read events_fact, by themselves or through others.

    Those of stored tables read them through others, some of them twice.
    """
    readers = {"events_fact"}
    for query in without_stored(Dataset("local-exams", "any"), [DEFAULT_FAMILY]):
        if query.reads & readers:
            readers.add(query.name)
            if query.name.endswith("_between"):
                yield query.name


FUNCTIONS = tuple(functions_of_events())
WINDOW = range(-8, 9)
OTHERS = {"more": range(-20, 21), "one before less": range(-7, 9), "one after less": range(-8, 8)}


def one_day(function: str, dataset: Dataset) -> str:
    day = f"DATE '{DAY.date()}'"
    return f"SELECT * FROM `{dataset.table(function)}`({day}, {day})"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_plan_reads_each_table_once_between_two_constants(
    function: str, googlesql: GoogleSql, dataset: Dataset
) -> None:
    plan = list(nodes(googlesql.analyze(googlesql.inline(one_day(function, dataset)))))
    scans = [node.table.name for node in plan if isinstance(node, ResolvedTableScan)]
    for table, column in PARTITION.items():
        name = dataset.table(table)
        assert scans.count(name) <= 1
        assert scans.count(name) == sum(
            bounds(node.filter_expr) == (column, {str(DAY.date())})
            for node in plan
            if isinstance(node, ResolvedFilterScan)
            and isinstance(node.input_scan, ResolvedTableScan)
            and node.input_scan.table.name == name
        )
    assert dataset.table("events_fact") in scans


@pytest.mark.parametrize("name", files.find("checks", statements.DEFAULT))
def test_a_check_reads_each_table_between_two_constants(
    name: str, googlesql: GoogleSql, dataset: Dataset
) -> None:
    sql = statements.render(dataset, "checks", name).rstrip(";\n")
    for parameter in ("@first_date", "@last_date"):
        sql = sql.replace(parameter, f"DATE '{DAY.date()}'")
    plan = list(nodes(googlesql.analyze(googlesql.inline(sql))))
    scans = [node.table.name for node in plan if isinstance(node, ResolvedTableScan)]
    for table, column in PARTITION.items():
        name = dataset.table(table)
        assert scans.count(name) == sum(
            bounds(node.filter_expr) == (column, {str(DAY.date())})
            for node in plan
            if isinstance(node, ResolvedFilterScan)
            and isinstance(node.input_scan, ResolvedTableScan)
            and node.input_scan.table.name == name
        )


def nodes(node: Any) -> Iterator[Any]:
    """A part of the plan and all that is below it."""
    yield node
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        for below in value if isinstance(value, list) else [value]:
            if dataclasses.is_dataclass(below) and "Resolved" in type(below).__name__:
                yield from nodes(below)


def bounds(condition: Any) -> tuple[str, set[str]] | None:
    """The column of the first BETWEEN in a filter, and the dates that its ends are made of."""
    for call in nodes(condition):
        if isinstance(call, ResolvedFunctionCall) and call.function.name == "ZetaSQL:$between":
            column, *ends = call.argument_list
            below = [node for end in ends for node in nodes(end)]
            assert isinstance(column, ResolvedColumnRef)
            assert not any(isinstance(node, ResolvedColumnRef) for node in below)
            epoch_days = {
                node.value.value.date_value
                for node in below
                if isinstance(node, ResolvedLiteral) and node.value.value.date_value is not None
            }
            epoch = dt.date(1970, 1, 1)
            dates = {str(epoch + dt.timedelta(days=days)) for days in epoch_days}
            return column.column.name, dates
    return None


def test_the_answers_depend_on_seventeen_days_and_on_no_other(
    googlesql: GoogleSql, dataset: Dataset
) -> None:
    queries = [one_day(function, dataset) for function in FUNCTIONS]

    def answers(days: Sequence[int]) -> dict[str, list[str]]:
        tables = {dataset.table(name): rows for name, rows in warehouse(days).items()}
        found = googlesql.run_all(queries, tables)
        return {name: sorted(map(str, rows)) for name, rows in zip(FUNCTIONS, found, strict=True)}

    window = answers(WINDOW)
    assert all(window.values())
    changed = {
        name: {function for function, rows in answers(days).items() if rows != window[function]}
        for name, days in OTHERS.items()
    }
    every = set(FUNCTIONS)
    assert changed == {"more": set(), "one before less": every, "one after less": every}


def warehouse(days: Sequence[int]) -> dict[str, list[Row]]:
    """What happened on DAY, and on other days something that changes what is said of DAY."""
    facts = [*on_the_day(), *(row for day in days if day for row in on_another(day))]
    errors = [
        {
            "event_id": f"error{day}",
            "session_id": "during0",
            "client_ts": moment(0),
            "failed_at": moment(day),
        }
        for day in days
    ]
    return {
        "events_fact": [golden.fact(row, place) for place, row in enumerate(facts)],
        "dead_letters": [golden.letter(row, place) for place, row in enumerate(errors)],
    }


def on_the_day() -> Iterator[Row]:
    for day in range(-20, 21):
        wrong = {"question_id": f"q{day}", "is_correct_answer": False}
        yield event(f"answer{day}", "answer_submit", f"during{day}", 0, **wrong)
        yield event(f"end{day}", "session_end", f"during{day}", 0)
        yield event(f"begin{day}", "session_start", f"after{day}", 0)
        yield event(f"copy{day}", "page_view", f"after{day}", 0, publish_ts=moment(30))


def on_another(day: int) -> Iterator[Row]:
    yield event(f"start{day}", "session_start", f"during{day}", day, session_duration_seconds=60)
    wrong = {"question_id": f"q{day}", "is_correct_answer": False}
    yield event(f"wrong{day}", "answer_submit", f"during{day}", day, **wrong)
    yield event(f"last{day}", "session_end", f"during{day}", day)
    yield event(f"view{day}", "page_view", f"after{day}", day)
    yield event(f"copy{day}", "page_view", f"after{day}", day, publish_ts=moment(31))


def event(event_id: str, event_type: str, session_id: str, day: int, **more: Any) -> Row:
    required = {"event_id": event_id, "event_type": event_type, "session_id": session_id}
    return {**required, "client_ts": moment(day), **more}


def moment(day: int) -> str:
    return (DAY + dt.timedelta(days=day)).isoformat()
