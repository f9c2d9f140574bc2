"""The queries of the pages: accepted by Google's analyzer, and equal to what the views say."""

import datetime as dt
import random

import msgspec
import pytest

from dashboard import filters, layout
from dashboard.filters import Filters
from dashboard.queries import MOST_ROWS, compose
from dashboard.semantic.model import tables
from ddl import files, statements
from schemas.dates import EARLIEST_DATE
from tests.dashboard import oracle, seed
from tests.dashboard.comparing import comparable
from tests.ddl import golden, shop

PANELS = [(page, panel) for page in layout.pages().values() for panel in page.panels]
FROM = {"facts": ("events_fact", "event_date"), "dead_letters": ("dead_letters", "failed_date")}


def values(page, panel, chosen):
    """The filters that the page applies to a panel."""
    names = {*page.filters, panel.needs} - {""}
    return {name: chosen[name] for name in names if name in chosen}


def query(place, panel, chosen):
    return compose(place, panel.source, panel.dimensions, panel.measures, chosen, panel.order)


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_each_dimension_and_measure_is_sql_that_google_accepts(table, googlesql, dataset):
    everything = [each.name for each in table.dimensions]
    some = {each.name: "x" for each in table.dimensions if each.format == "text"}
    dates = Filters(dt.date(2026, 3, 2), dt.date(2026, 3, 3), None, some)
    sql = compose(dataset, table, everything, [each.name for each in table.measures], dates)
    googlesql.analyze(sql.runnable)


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_each_table_has_its_grain_its_joins_and_descriptions(table, googlesql, dataset):
    columns = {column for name in table.joins for column in name.columns} | set(table.grain)
    dates = "(DATE '2026-03-02', DATE '2026-03-03')" if table.dates == "arguments" else ""
    source = f"`{dataset.table(table.source)}`{dates}"
    googlesql.analyze(f"SELECT {', '.join(sorted(columns))} FROM {source}")
    assert {join.table for join in table.joins} | table.never_join.keys() <= tables().keys()
    parts = [*table.dimensions, *table.measures]
    assert all(part.label and part.description for part in parts)
    assert len({part.name for part in parts}) == len(parts)


def test_a_table_without_dates_as_arguments_is_read_by_its_partitions(dataset):
    for table in tables().values():
        if table.dates != "arguments" and table.source in files.find("tables"):
            declared = statements.table(dataset, table.source)
            assert declared.time_partitioning.field == table.dates


@pytest.mark.parametrize(("page", "panel"), PANELS, ids=lambda each: each.name)
def test_each_panel_names_what_its_table_has(page, panel, googlesql, dataset):
    assert len(panel.columns) == len(panel.dimensions) + len(panel.measures)
    assert panel.needs in ("", *page.filters, *page.drill)
    assert bool(panel.needs) == bool(panel.hint)
    chosen = dict.fromkeys((*page.filters, *page.drill), "x")
    dates = Filters(dt.date(2026, 3, 2), dt.date(2026, 3, 3), None, values(page, panel, chosen))
    composed = query(dataset, panel, dates)
    googlesql.analyze(composed.runnable)
    assert f"LIMIT {MOST_ROWS + 1}" in composed.sql
    assert composed.ignored == ()  # every panel of a page follows the page's filters


@pytest.mark.parametrize(
    "count", [len(oracle.PANELS), pytest.param(200, marks=pytest.mark.browser)]
)
def test_random_filters_give_the_numbers_of_the_views(count, googlesql, dataset):
    given = seed.tables() | shop.tables(7, events=40)
    content = {dataset.table(name): rows for name, rows in given.items()}
    chance, seen = random.Random(count), 0
    checked = [(page, panel) for page, panel in PANELS if panel.name in oracle.PANELS]
    for turn in range(count):
        page, panel = checked[turn % len(checked)]
        dates = sorted(dt.date(2026, 2, 28) + dt.timedelta(chance.randrange(6)) for _ in "ab")
        ids = {
            name: chance.choice(
                sorted({row[name] for rows in given.values() for row in rows if row.get(name)})
            )
            for name in (*page.filters, *page.drill)
            if name == panel.needs or chance.random() < 0.5
        }
        chosen = Filters(dates[0], dates[1], None, values(page, panel, ids))
        composed = query(dataset, exact(panel), chosen)
        got = googlesql.run(composed.sql, content, composed.bigquery_parameters)
        if panel.table in FROM:
            name, date = FROM[panel.table]
            first, last = map(str, dates)
            base = [row for row in given[name] if first <= (row[date] or "") <= last]
        else:
            first = EARLIEST_DATE if panel.source.cumulative else dates[0]
            between = f"(DATE '{first}', DATE '{dates[1]}')"
            base = googlesql.run(
                f"SELECT * FROM `{dataset.table(panel.source.source)}`{between}", content
            )
        want = oracle.panel(panel.name, base, dict(chosen.values))
        columns = want[0].keys() if want else ()
        assert comparable(got, columns) == comparable(want, columns), composed.runnable
        assert len(got) == len(want)
        seen += bool(want)
    assert seen > count / 3


def exact(panel):
    """The panel without its medians, which Google's reference engine does not know."""
    known = [name for name in panel.measures if "APPROX" not in panel.source.measure(name).sql]
    return msgspec.structs.replace(panel, measures=tuple(known))


def test_the_sql_that_is_shown_says_what_was_asked(googlesql, dataset):
    chosen = filters.parse(
        {"test_id": 'té"\n\\ @first_date 🙂', "from": "2026-03-02", "to": "2026-03-03"},
        ["test_id"],
        seed.TODAY,
    )
    panel = layout.pages()["exam"].panels[0]
    composed = query(dataset, panel, chosen)
    row = {"client_ts": "2026-03-02T10:00:00Z", "event_id": "e", "event_type": "session_start"}
    content = {
        dataset.table("events_fact"): [
            golden.fact(row | {"test_id": chosen.values["test_id"]}, 1),
            golden.fact(row | {"test_id": "té", "event_id": "f", "session_id": "other"}, 2),
        ]
    }
    asked = googlesql.run(composed.sql, content, composed.bigquery_parameters)
    assert googlesql.run(composed.runnable, content) == asked
    assert asked[0]["sessions"] == 1
