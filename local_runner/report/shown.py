"""What the report shows of an event family: rows and charts of its views."""

import dataclasses
import datetime as dt
import decimal
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from google.cloud import bigquery

from gcp.dataset import Dataset
from local_runner.report.charts import Drawings

Rows: TypeAlias = Sequence[tuple[Any, ...]]


@dataclasses.dataclass(frozen=True)
class View:
    """Rows of a view.

    Attributes:
        name: the view.
        columns: column names.
        rows: values in the order of the columns; timestamps are aware, UTC.
    """

    name: str
    columns: list[str]
    rows: list[tuple[Any, ...]]

    def numeric(self) -> list[bool]:
        """For each column, whether it holds numbers."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return [any(type(value) in _NUMBERS for value in column) for column in columns]

    def shown(self) -> list[tuple[Any, ...]]:
        """The rows with timestamps, records and arrays as text."""
        return [tuple(map(_readable, row)) for row in self.rows]


_NUMBERS = (int, float, decimal.Decimal)


@dataclasses.dataclass(frozen=True)
class Query:
    """Which rows of a view are read.

    Attributes:
        view: its name.
        columns: what is selected.
        order: of the rows; empty for any.
        group: columns to group by; empty for none.
    """

    view: str
    columns: str = "*"
    order: str = ""
    group: str = ""

    def read(self, client: bigquery.Client, dataset: Dataset, limit: int | None = None) -> View:
        """The rows, the first ``limit`` of them where there is a limit."""
        sql = f"SELECT {self.columns} FROM `{dataset.table(self.view)}`"  # noqa: S608
        if self.group:
            sql += f" GROUP BY {self.group}"
        if self.order:
            sql += f" ORDER BY {self.order}"
        if limit is not None:
            sql += f" LIMIT {limit}"
        result = client.query(sql).result()
        rows = [tuple(row.values()) for row in result]
        return View(self.view, [field.name for field in result.schema], rows)


@dataclasses.dataclass(frozen=True)
class Chart:
    """A drawing of the rows of a view.

    Attributes:
        title: what it shows.
        query: its rows, all of them.
        draw: the drawings of at least one row.
        summary: the chart in one sentence.
        full: whether it is as wide as the page.
    """

    title: str
    query: Query
    draw: Callable[[Rows], Drawings]
    summary: Callable[[Rows], str]
    full: bool = False


@dataclasses.dataclass(frozen=True)
class FamilyReport:
    """What is shown of a family.

    Attributes:
        summaries: views whose first rows are shown.
        charts: in the order of the page.
        note: about the summaries.
    """

    summaries: Sequence[Query]
    charts: Sequence[Chart] = ()
    note: str = ""


def _readable(value: Any) -> Any:
    match value:
        case dt.datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case decimal.Decimal():
            return float(value)
        case dict() | list():
            return json.dumps(value, default=str)
        case _:
            return value
