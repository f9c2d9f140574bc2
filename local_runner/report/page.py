"""The demo's report: one self-contained HTML file."""

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from gcp.console import cell
from local_runner.report import charts
from local_runner.report.counts import NOT_PROVOKED, Reconciliation
from local_runner.report.summaries import View

_Rows = Sequence[tuple[Any, ...]]

_CHARTS: Mapping[str, tuple[str, Callable[[_Rows], charts.Drawings]]] = {
    "session_starts_by_hour": (
        "Session starts by hour",
        lambda rows: charts.by_hour(rows, "Sessions", charts.STARTS),
    ),
    "session_completions_by_hour": (
        "Session completions by hour",
        lambda rows: charts.by_hour(rows, "Sessions", charts.COMPLETIONS),
    ),
    "wrong_answers_by_question": (
        "Questions with the most wrong first submissions",
        lambda rows: charts.by_question(rows, "Wrong first submissions", charts.WRONG),
    ),
}


@dataclasses.dataclass(frozen=True)
class Figure:
    """A chart.

    Attributes:
        title: what it shows.
        drawings: SVG by CSS class; empty without rows.
        alternative: the chart in one sentence.
        view: its data.
    """

    title: str
    drawings: charts.Drawings
    alternative: str
    view: View


@dataclasses.dataclass(frozen=True)
class Report:
    """What the report shows.

    Attributes:
        about: details of the run, by name.
        reconciliation: outcomes of the messages, sent and found.
        summaries: first rows of the summary views.
        kpis: the KPI views, whole.
    """

    about: Mapping[str, str]
    reconciliation: Reconciliation
    summaries: Sequence[View]
    kpis: Sequence[View]

    def write(self, path: Path) -> None:
        """Writes the HTML file, and creates its folder if missing."""
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("local_runner.report", ""),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["number"] = functools.partial(cell, nothing="-")
        page = environment.get_template("report.html").render(
            about=self.about,
            reconciliation=self.reconciliation,
            dead_letters=self.reconciliation.dead_letters,
            not_provoked=NOT_PROVOKED,
            figures=[_figure(view) for view in self.kpis],
            summaries=self.summaries,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")


def _figure(view: View) -> Figure:
    title, draw = _CHARTS[view.name]
    return Figure(title, draw(view.rows) if view.rows else {}, _alternative(title, view), view)


def _alternative(title: str, view: View) -> str:
    """The chart in one sentence, for screen readers and where there is nothing to draw."""
    if not view.rows:
        return "No data."
    *labels, count = max(view.rows, key=lambda row: row[-1])
    total = sum(row[-1] for row in view.rows)
    if isinstance(labels[0], dt.datetime):
        unit, place = "hour", f"at {labels[0]:%b %d %H:%M} UTC"
    else:
        unit, place = "question", f"for {charts.question(*labels)}"
    units = f"{len(view.rows):,} {unit}{'s' if len(view.rows) > 1 else ''}"
    return f"{title}: {total:,} in total over {units}; the most, {count:,}, {place}."
