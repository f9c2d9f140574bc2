"""The page over HTTP: its panels' numbers, files, filters and headers, on the emulator."""

import csv
import io
import re

import pytest
import requests

from dashboard import layout
from tests.dashboard import oracle, seed
from tests.dashboard.comparing import comparable
from tests.ddl import golden

DAYS = {"from": "2026-03-02", "to": "2026-03-03"}
PANELS = [
    (page, panel) for page in layout.pages().values() for panel in page.panels if not page.optional
]


@pytest.fixture
def site(applied, serve):
    """The address of the page over seeded tables."""
    seed.insert(applied)
    return serve(applied.dataset, applied.client)


def get(url, path, status=200, **fields):
    answer = requests.get(f"{url}{path}", params=fields, timeout=60)
    assert answer.status_code == status, answer.text
    return answer


def rows(answer):
    """The rows of a CSV file, empty cells as None, numbers and booleans as such."""

    def cell(text):
        if text in ("", "true", "false"):
            return {"": None, "true": True, "false": False}[text]
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", text) else text

    found = csv.DictReader(io.StringIO(answer.text))
    return [{name: cell(text) for name, text in row.items()} for row in found]


def test_every_panel_has_the_numbers_of_its_view(site, rows_of):
    chosen = {"test_id": "t1", "question_id": "q1"}
    for page, panel in PANELS:
        fields = DAYS | ({**chosen} if page.filters else {})
        got = rows(get(site, f"/{page.name}/{panel.name}.csv", **fields))
        html = get(site, f"/{page.name}/{panel.name}", **fields).text
        assert 'class="problem"' not in html
        if panel.name not in oracle.PANELS or panel.source.dates != "arguments":
            continue
        between = f"{panel.source.source}`(DATE '2026-03-02', DATE '2026-03-03')"
        base = [golden.plain(row) for row in rows_of("SELECT * FROM {dataset}.`" + between)]
        names = {*page.filters, panel.needs} & chosen.keys()
        want = oracle.panel(panel.name, base, {name: chosen[name] for name in names})
        assert want, panel.name
        columns = want[0].keys()
        assert comparable(got, columns) == comparable(want, columns), panel.name
        assert html.count("<tr") == len(want) + 1 or panel.chart == "tiles"


def test_a_page_asks_for_its_panels_with_the_filters_of_its_address(site):
    page = get(site, "/", test_id="ignored").text
    assert "<h1>Exams</h1>" in page
    page = get(site, "/exam", test_id="t1", question_id="q<1>", **DAYS).text
    found = re.findall(r'hx-get="(/exam/[a-z_]+\?[^"]*)"', page)
    assert len(found) == len(layout.pages()["exam"].panels)
    fields = "from=2026-03-02&amp;to=2026-03-03&amp;test_id=t1&amp;question_id=q%3C1%3E"
    assert all(url.endswith(f"?{fields}") for url in found)
    assert "q<1>" not in page
    assert 'data-live="no"' in page
    assert 'data-live="yes"' in get(site, "/exam", days="1").text


def test_the_tests_to_choose_from_are_those_of_the_dates(site):
    found = re.findall("<option.*?>(.*?)</option>", get(site, "/exam/choices/test_id", **DAYS).text)
    assert found == ["All", "t1", "t2", "té"]
    one = get(site, "/exam/choices/test_id", test_id="gone", **DAYS).text
    assert "<option selected>gone</option>" in one
    get(site, "/exam/choices/student_id", status=404)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"from": "2026-03-03", "to": "2026-03-02"}, "the first date, 2026-03-03, is after"),
        ({"from": "yesterday", "to": "2026-03-02"}, "from must be a date, YYYY-MM-DD"),
        ({"from": "0001-01-01", "to": "2026-03-02"}, "from must be from 0001-01-09"),
        ({"days": "8"}, "days must be one of 7, 1, 30, 365"),
        ({"test_id": "x" * 129}, "test_id is longer than 128 characters"),
    ],
)
def test_filters_that_cannot_be_used_are_named(fields, said, serve, warehouse):
    url = serve(warehouse.dataset, warehouse.client)
    assert said in get(url, "/exam", 400, **fields).text
    for path in ("/exam/totals", "/exam/totals.csv"):
        assert get(url, path, 400, **fields).text.startswith(said)


def test_what_an_app_sent_stays_text(applied, serve):
    evil = "<script>alert(1)</script>"
    row = {"client_ts": "2026-03-02T10:00:00Z", "event_type": "answer_submit", "test_id": evil}
    answer = row | {"event_id": "e", "question_id": "=q", "answer": "=HYPERLINK(1)"}
    place = applied.dataset.table("events_fact")
    assert not applied.client.insert_rows_json(place, [golden.fact(answer, 1)])
    url = serve(applied.dataset, applied.client)
    for panel in ("hardest_questions", "answers_given", "funnel"):
        html = get(url, f"/exam/{panel}", question_id="=q", **DAYS).text
        assert "<script>" not in html
    assert "&lt;script&gt;" in get(url, "/exam/funnel", **DAYS).text
    file = get(url, "/exam/answers_given.csv", question_id="=q", **DAYS).text
    assert file.splitlines()[1].startswith("'=HYPERLINK(1),")


def test_answers_run_no_script_but_the_pages_own(serve, warehouse):
    url = serve(warehouse.dataset, warehouse.client)
    for path in ("/exam", "/exam/totals", "/exam/totals.csv", "/exam/choices/test_id", "/none"):
        headers = requests.get(f"{url}{path}", timeout=60).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_the_first_load_is_small(serve, warehouse):
    url = serve(warehouse.dataset, warehouse.client)
    page = get(url, "/exam").text
    files = re.findall(r'"(/static/[^"]+)"', page)
    assert len(files) == 5
    size = 0
    for path in files:
        with requests.get(f"{url}{path}", stream=True, timeout=60) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
            size += int(answer.headers["Content-Length"])
    assert size < 400_000
    get(url, "/static/../server.py", 404)
    get(url, "/static/none.js", 404)
