"""The shop's page: its numbers, and where the menu has it."""

import csv
import io
import json
import re

import pytest
import requests

from dashboard import layout
from tests.dashboard import oracle
from tests.dashboard.comparing import comparable
from tests.ddl import golden, shop

DAYS = "from=2026-03-03&to=2026-03-03"
PAGE = layout.pages()["shop"]


@pytest.fixture
def site(applied_families, serve):
    """The address of the page over seeded tables."""
    for name, rows in shop.tables(7, events=40).items():
        place = applied_families.dataset.table(name)
        given = [golden.as_text(row) for row in rows]
        assert not applied_families.client.insert_rows_json(place, given)
    return serve(applied_families.dataset, applied_families.client)


def get(url):
    answer = requests.get(url, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_every_panel_has_the_numbers_of_its_view(site, applied_families):
    compared = 0
    for panel in PAGE.panels:
        chosen = f"{DAYS}&product_id=p1" if panel.needs else DAYS
        html = get(f"{site}/shop/{panel.name}?{chosen}")
        assert 'class="problem"' not in html
        assert "<td" in html or "<dd" in html
        if panel.name not in oracle.PANELS:
            continue
        source = f"{applied_families.dataset.table(panel.source.source)}"
        # Stock is what all changes so far add up to.
        first = "2000-01-01" if panel.name == "low_stock" else "2026-03-03"
        sql = f"SELECT * FROM `{source}`(DATE '{first}', DATE '2026-03-03')"
        rows = [golden.plain(dict(row)) for row in applied_families.client.query(sql).result()]
        want = oracle.panel(panel.name, rows, {})
        got = [
            {name: number(text) for name, text in row.items()}
            for row in csv.DictReader(io.StringIO(get(f"{site}/shop/{panel.name}.csv?{chosen}")))
        ]
        assert want
        assert comparable(got, want[0]) == comparable(want, want[0]), panel.name
        compared += 1
    assert compared == 4


def number(text):
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def test_amounts_are_exact_as_a_file_and_rounded_in_a_chart(site):
    file = get(f"{site}/shop/revenue_by_hour.csv?{DAYS}")
    assert re.search(r",\d{17,}\.\d{5},", file)
    html = get(f"{site}/shop/revenue_by_hour?{DAYS}")
    spec = json.loads(re.search('data-spec="(.*?)"', html)[1].replace("&#34;", '"'))
    assert "rect" in json.dumps(spec)


def test_the_menu_has_the_page_where_the_dataset_has_the_shop(site, applied, serve):
    menu = get(f"{site}/exam")
    [asked] = re.findall(r'<span hx-get="(/[a-z]+/link\?[^"]*)"', menu)
    link = get(f"{site}{asked.replace('&amp;', '&')}")
    assert re.fullmatch('<a href="/shop\\?days=7" hx-boost="false">Shop</a>', link.strip())
    assert 'aria-current="page">Shop</a>' in get(f"{site}/shop")
    exams = serve(applied.dataset, applied.client)
    answer = requests.get(f"{exams}/shop/link?days=7", timeout=60)
    assert (answer.status_code, answer.text) == (204, "")
