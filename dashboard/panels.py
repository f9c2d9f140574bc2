"""What the page says about each panel: its rows, chart and sentence, or why there are none."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import charts
from dashboard.filters import Filters
from dashboard.layout import Page, Panel
from dashboard.queries import MOST_ROWS, Query, compose, probe
from dashboard.sentences import sentence
from dashboard.warehouse import Answer, PanelError, Warehouse
from gcp.dataset import Dataset

Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Link:
    """A value that leads to the panels that are about it."""

    url: str
    current: bool


@dataclasses.dataclass(frozen=True)
class View:
    """A panel for the template.

    Attributes:
        problem: why there is no answer; empty is none.
        hint: what the reader has to choose first; empty is nothing.
        rows: the answer, at most MOST_ROWS.
        links: for each row, column to where its value leads.
        cut: whether there are more rows.
        sentence: what the chart shows.
        chart: its Vega-Lite specification as JSON; empty is none.
        sql: what was asked, ready to run.
        ignored: labels of the filters that the panel does not know.
        csv: where its rows are as a file.
        bytes_scanned: what the query read; None where it is not known.
        at: when it was asked.
    """

    problem: str = ""
    hint: str = ""
    rows: Sequence[Row] = ()
    links: Sequence[Mapping[str, Link]] = ()
    cut: bool = False
    sentence: str = ""
    chart: str = ""
    sql: str = ""
    ignored: Sequence[str] = ()
    csv: str = ""
    bytes_scanned: int | None = None
    at: dt.datetime | None = None

    @property
    def scanned(self) -> str:
        """How much the query read, for a reader."""
        if self.bytes_scanned is None:
            return "bytes read: not known"
        return f"{self.bytes_scanned / 1e6:,.1f} MB read"


class Panels:
    """Panels of one dataset."""

    def __init__(self, dataset: Dataset, warehouse: Warehouse) -> None:
        self._dataset = dataset
        self._warehouse = warehouse

    def rows(self, page: Page, panel: Panel, filters: Filters, today: dt.date) -> list[Row]:
        """The panel's rows; none while it waits for a choice. Raises PanelError."""
        if panel.needs and panel.needs not in filters.values:
            return []
        answer = self._warehouse.ask(self._query(page, panel, filters), filters.includes(today))
        return [*answer.rows[:MOST_ROWS]]

    def view(self, page: Page, panel: Panel, filters: Filters, today: dt.date) -> View:
        """The panel for the template; a failure is part of it."""
        if panel.needs and panel.needs not in filters.values:
            return View(hint=panel.hint)
        query = self._query(page, panel, filters)
        try:
            answer = self._warehouse.ask(query, filters.includes(today))
        except PanelError as error:
            return View(problem=str(error), sql=query.runnable)
        return _view(page, panel, filters, query, answer)

    def offered(self, page: Page) -> bool:
        """Whether the page belongs in the menu: an optional one needs its tables."""
        tables = {panel.table: panel.source for panel in page.panels} if page.optional else {}
        try:
            for table in tables.values():
                self._warehouse.ask(probe(self._dataset, table), live=False)
        except PanelError:
            return False
        return True

    def _query(self, page: Page, panel: Panel, filters: Filters) -> Query:
        names = {*page.filters, panel.needs}
        own = {name: value for name, value in filters.values.items() if name in names}
        return compose(
            self._dataset,
            panel.source,
            panel.dimensions,
            panel.measures,
            dataclasses.replace(filters, values=own),
            panel.order,
        )


def choices(
    panels: Panels, page: Page, dimension: str, filters: Filters, today: dt.date
) -> list[str]:
    """The values that a filter may take on these dates, by the page's first panel's table."""
    panel = Panel("choices", "", "table", page.panels[0].table, (), (dimension,), (dimension,))
    everything = dataclasses.replace(filters, values={})
    return [str(row[dimension]) for row in panels.rows(page, panel, everything, today)]


def _view(page: Page, panel: Panel, filters: Filters, query: Query, answer: Answer) -> View:
    rows = answer.rows[:MOST_ROWS]
    # An aggregate over no rows is a row of zeros and nulls.
    if not panel.dimensions and not any(rows[0].values()):
        rows = []
    chart = charts.spec(panel, rows)
    return View(
        rows=rows,
        links=[_links(page, panel, filters, row) for row in rows],
        cut=len(answer.rows) > MOST_ROWS,
        sentence=sentence(panel, rows) if rows else "",
        chart=json.dumps(chart, default=float) if chart else "",
        sql=query.runnable,
        ignored=[name.removesuffix("_id") for name in query.ignored],
        csv=f"/{page.name}/{panel.name}.csv?{filters.query()}",
        bytes_scanned=answer.bytes_scanned,
        at=answer.at,
    )


def _links(page: Page, panel: Panel, filters: Filters, row: Row) -> dict[str, Link]:
    """A value of a filter leads to the page filtered by it and by those before it in the row."""
    links, before = {}, {}
    for name in panel.dimensions:
        if name in (*page.filters, *page.drill) and row[name] is not None:
            before[name] = str(row[name])
            current = name in page.drill and before.items() <= filters.values.items()
            links[name] = Link(f"/{page.name}?{filters.query(**before)}", current)
    return links
