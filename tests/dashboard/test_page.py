"""The page in a headless Chromium: numbers, filters, Back, refresh, words, no complaint."""

import base64
import json
import urllib.parse

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from ddl.apply import apply
from tests.dashboard import seed
from tests.dashboard.browser import CHROMIUM, tab
from tests.dashboard.refusing import COLUMN, refusing
from tests.ddl import golden

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

DAYS = "from=2026-03-02&to=2026-03-03"
SIZES = [(1280, False), (1280, True), (390, False), (390, True)]


@pytest.fixture
def page(tmp_path):
    """A tab; it must not complain."""
    with tab(tmp_path) as opened:
        opened.look(1280)
        yield opened
        assert opened.complaints == []


@pytest.fixture
def site(applied, serve):
    seed.insert(applied)
    return serve(applied.dataset, applied.client)


def text(page, selector):
    return page.run(f"document.querySelector({json.dumps(selector)}).textContent.trim()")


def choose(page, selector, value):
    """Does what a reader does with a field of the form."""
    page.run(
        f"(() => {{ const field = document.querySelector({json.dumps(selector)});"
        f"field.value = {json.dumps(value)};"
        "field.dispatchEvent(new Event('input', {bubbles: true}));"
        "field.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def wait_for_address(page, **fields):
    """Waits until the URL has these filters."""
    for name, value in fields.items():
        page.wait(f"new URLSearchParams(location.search).get({name!r}) === {json.dumps(value)}")
    page.settle()


def sessions(site, **fields):
    """The number of sessions that the server says."""
    query = urllib.parse.urlencode(fields)
    file = requests.get(f"{site}/exam/totals.csv?{DAYS}&{query}", timeout=60).text
    return file.splitlines()[1].partition(",")[0]


@pytest.mark.parametrize(("width", "dark"), SIZES)
def test_every_panel_is_drawn_without_a_complaint(width, dark, page, site):
    page.look(width, dark=dark)
    for name in ("exam", "operations"):
        page.open(f"{site}/{name}?{DAYS}")
        assert page.run("document.querySelectorAll('.problem:not([hidden])').length") == 0
        assert page.run("document.querySelectorAll('.chart svg').length") >= 3
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.run(
            "[...document.querySelectorAll('time')].every(t => !/UTC/.test(t.textContent))"
        )


def test_filters_change_the_numbers_and_back_and_reload_restore_them(page, site):
    page.open(f"{site}/exam?{DAYS}")
    everything, one = sessions(site), sessions(site, test_id="t1")
    assert everything != one
    first = ".drawn-as-tiles dd"
    assert text(page, first) == everything
    choose(page, "#test_id", "t1")
    wait_for_address(page, test_id="t1")
    assert text(page, first) == one
    page.run("history.back()")
    page.wait("!location.search.includes('test_id=t1')")
    page.settle()
    page.wait(f"document.querySelector({first!r})?.textContent === {everything!r}")
    page.run("history.forward()")
    wait_for_address(page, test_id="t1")
    page.wait(f"document.querySelector({first!r})?.textContent === {one!r}")
    page.send("Page.reload")
    page.wait(f"document.querySelector({first!r})?.textContent === {one!r}")
    page.settle()
    page.run("document.querySelector('.chip').click()")
    page.wait("!location.search.includes('t1')")
    page.settle()
    assert text(page, first) == everything


def test_dates_that_are_chosen_count_instead_of_the_range(page, site):
    page.open(f"{site}/exam?days=7")
    choose(page, "#to", "2026-03-02")
    page.wait("location.search.includes('to=2026-03-02')")
    page.settle()
    assert page.run("document.querySelector('#days').value") == ""
    choose(page, "#days", "30")
    wait_for_address(page, days="30")
    assert page.run("document.querySelector('#days').value") == "30"


def test_a_question_leads_to_its_answers_and_a_session_to_its_events(page, site):
    page.open(f"{site}/exam?{DAYS}&test_id=t1")
    assert "Choose a question" in text(page, "#panel-answers_given")
    page.run("document.querySelector('#panel-hardest_questions tbody td:nth-child(2) a').click()")
    page.wait("location.search.includes('question_id=')")
    page.settle()
    assert page.run("document.querySelector('#panel-answers_given svg') !== null")
    page.run("document.querySelector('#panel-sessions tbody a').click()")
    page.wait("location.search.includes('session_id=')")
    page.settle()
    assert page.run("document.querySelectorAll('#panel-timeline tbody tr').length") > 0
    assert page.run("document.querySelectorAll('#panel-sessions tr.current').length") == 1
    assert page.run("document.querySelectorAll('main').length") == 1


def test_new_rows_appear_and_what_a_reader_opened_stays_open(page, applied, serve):
    seed.insert(applied)
    now = [0.0]
    site = serve(applied.dataset, applied.client, clock=lambda: now[0])
    page.open(f"{site}/exam?days=7")
    before = int(text(page, ".drawn-as-tiles dd"))
    page.run("document.querySelector('#panel-starts details').open = true")
    start = {"client_ts": "2026-03-04T10:00:00Z", "event_type": "session_start", "event_id": "new"}
    row = golden.fact(start | {"session_id": "new"}, 1)
    assert not applied.client.insert_rows_json(applied.dataset.table("events_fact"), [row])
    now[0] = 60.0
    # The page asks every 15 s of its own accord.
    page.wait(f"document.querySelector('.drawn-as-tiles dd').textContent === '{before + 1}'")
    page.settle()
    assert page.run("document.querySelector('#panel-starts details').open")


def test_a_panel_that_failed_is_asked_again_even_of_past_days(page, applied, serve):
    now = [0.0]
    site = serve(applied.dataset, applied.client, clock=lambda: now[0])
    applied.client.delete_routine(f"{applied.dataset}.test_summary_between")
    applied.client.delete_routine(f"{applied.dataset}.session_summary_between")
    page.open(f"{site}/exam?{DAYS}")
    assert "no data yet" in text(page, "#panel-totals").lower()
    assert page.run("document.querySelector('#panel-totals > .problem') !== null")
    apply(applied.client, applied.dataset)
    seed.insert(applied)
    now[0] = 60.0
    page.wait("document.querySelector('#panel-totals dd')")
    page.settle()


def test_a_column_that_is_refused_is_said(page, serve, warehouse):
    with refusing(*COLUMN) as (address, _):
        client = bigquery.Client(
            project=warehouse.dataset.project,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": address},
        )
        with client:
            page.open(f"{serve(warehouse.dataset, client)}/exam")
            assert "You may not see the column student_id" in text(page, "#panel-totals")


def test_screenshots_are_not_blank(page, site, tmp_path):
    """Kept for a person to look at: pytest names the folder."""
    page.open(f"{site}/exam?{DAYS}")
    image = base64.b64decode(page.screenshot())
    (tmp_path / "exam.png").write_bytes(image)
    assert len(image) > 30_000
