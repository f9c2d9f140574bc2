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

_CHARTS: Mapping[str, tuple[str, Callable[[_Rows], str]]] = {
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
    """A chart, its text alternative, and its numbers."""

    title: str
    svg: str
    alternative: str
    view: View


@dataclasses.dataclass(frozen=True)
class Report:
    """The content of the report.

    Attributes:
        about: facts of the run, by name.
        reconciliation: messages by outcome, sent and found.
        summaries: first rows of the summary views.
        kpis: the KPI views.
    """

    about: Mapping[str, str]
    reconciliation: Reconciliation
    summaries: Sequence[View]
    kpis: Sequence[View]

    def write(self, path: Path) -> None:
        """Writes the HTML file; its folder is made."""
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
    return Figure(title, draw(view.rows), _alternative(title, view), view)


def _alternative(title: str, view: View) -> str:
    """The chart in one sentence, for screen readers."""
    if not view.rows:
        return f"{title}: no data."
    *labels, count = max(view.rows, key=lambda row: row[-1])
    hour = labels[0]
    name = f"{hour:%H:%M} UTC" if isinstance(hour, dt.datetime) else charts.question(*labels)
    total = sum(row[-1] for row in view.rows)
    return f"{title}: {total:,} in all over {len(view.rows)}; most, {count:,}, at {name}."
