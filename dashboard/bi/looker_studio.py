"""Every panel as a custom query of Looker Studio, which sets the dates of the report's range."""

import datetime as dt

from dashboard import layout
from dashboard.filters import Filters
from dashboard.layout import Page
from dashboard.queries import compose
from gcp.dataset import Dataset

_PLACE = Dataset("PROJECT", "DATASET")
_ANY = dt.date.min
_DATES = {
    "@first_date": "PARSE_DATE('%Y%m%d', @DS_START_DATE)",
    "@last_date": "PARSE_DATE('%Y%m%d', @DS_END_DATE)",
}


def files() -> dict[str, str]:
    """A file for each page, its queries one after the other."""
    return {f"looker_studio/{page.name}.sql": _queries(page) for page in layout.pages().values()}


def _queries(page: Page) -> str:
    texts = []
    for panel in page.panels:
        values = {panel.needs: ""} if panel.needs else {}
        sql = compose(
            _PLACE,
            panel.source,
            panel.dimensions,
            panel.measures,
            Filters(_ANY, _ANY, None, values),
            panel.order,
        ).sql
        for ours, theirs in _DATES.items():
            sql = sql.replace(ours, theirs)
        needs = f"\n-- Needs the parameter {panel.needs}, a text." if panel.needs else ""
        texts.append(f"-- {panel.title}{needs}\n{sql};\n")
    head = "-- Enable date range parameters in the data source; put in your PROJECT.DATASET.\n\n"
    return head + "\n".join(texts)
