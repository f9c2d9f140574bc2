"""The demo's report: one self-contained HTML file."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from google.cloud import bigquery

from gcp.console import cell
from gcp.dataset import Dataset
from local_runner.report import charts
from local_runner.report.counts import NOT_PROVOKED, Reconciliation
from local_runner.report.families import report_of
from local_runner.report.shown import Chart, View
from schemas.family import EventFamily

_FIRST_ROWS = 5


@dataclasses.dataclass(frozen=True)
class Figure:
    """A chart with its data."""

    chart: Chart
    view: View

    @property
    def title(self) -> str:
        """What it shows."""
        return self.chart.title

    @property
    def drawings(self) -> charts.Drawings:
        """SVG by CSS class; empty without rows."""
        return self.chart.draw(self.view.rows) if self.view.rows else {}

    @property
    def alternative(self) -> str:
        """The chart in one sentence, for screen readers and where there is nothing to draw."""
        return self.chart.summary(self.view.rows) if self.view.rows else "No data."


@dataclasses.dataclass(frozen=True)
class Section:
    """What is shown of one event family.

    Attributes:
        family: its name.
        summaries: first rows of its views.
        figures: its charts.
        note: about the summaries.
    """

    family: str
    summaries: Sequence[View]
    figures: Sequence[Figure]
    note: str

    @classmethod
    def read(cls, client: bigquery.Client, dataset: Dataset, family: EventFamily) -> "Section":
        """Reads the views of a family."""
        report = report_of(family)
        return cls(
            family.name,
            [query.read(client, dataset, _FIRST_ROWS) for query in report.summaries],
            [Figure(chart, chart.query.read(client, dataset)) for chart in report.charts],
            report.note,
        )


@dataclasses.dataclass(frozen=True)
class Report:
    """What the report shows.

    Attributes:
        title: of the page.
        about: details of the run, by name.
        reconciliation: outcomes of the messages, sent and found.
        sections: one for each event family.
    """

    title: str
    about: Mapping[str, str]
    reconciliation: Reconciliation
    sections: Sequence[Section]

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
        environment.filters["words"] = _words
        page = environment.get_template("report.html").render(
            title=self.title,
            about=self.about,
            reconciliation=self.reconciliation,
            not_provoked=NOT_PROVOKED,
            sections=self.sections,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")


def _words(name: str) -> str:
    """A name for a reader."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]
