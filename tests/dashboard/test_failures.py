"""What a reader sees where there is no answer, and what one query costs many readers."""

import concurrent.futures
import datetime as dt
import socket
import threading
import time

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from dashboard import layout
from dashboard import warehouse as asking
from gcp.dataset import Dataset
from tests.dashboard import seed
from tests.dashboard.refusing import BYTES, COLUMN, OVERLOAD, SYNTAX, TABLE, refusing

PLACE = Dataset("local-exams", "exams")


class Counting:
    """A client that counts its queries."""

    def __init__(self, client):
        self._client = client
        self._lock = threading.Lock()
        self.count = 0

    def query(self, *args, **options):
        with self._lock:
            self.count += 1
        return self._client.query(*args, **options)


def client_at(url):
    return bigquery.Client(
        project=PLACE.project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": url},
    )


def panel(url, name="totals", form=""):
    return requests.get(f"{url}/exam/{name}{form}", timeout=60)


@pytest.mark.parametrize(
    ("refusal", "status", "said"),
    [
        (COLUMN, 403, "You may not see the column student_id"),
        (TABLE, 403, "This page has no permission to read these tables"),
        (BYTES, 413, "would read more than 1.0 GB, the most that this page may"),
        (SYNTAX, 500, "The warehouse rejected the query"),
        (OVERLOAD, 503, "The warehouse does not answer"),
    ],
)
def test_a_refusal_is_said_in_words(refusal, status, said, serve, caplog):
    with refusing(*refusal) as (address, bodies), client_at(address) as client:
        url = serve(PLACE, client)
        answer = panel(url)
        assert answer.status_code == 200
        assert '<p class="problem">' in answer.text
        assert said in answer.text
        file = panel(url, form=".csv")
        assert file.status_code == status
        assert said in file.text
    query = bodies[0]["configuration"]["query"]
    assert query["maximumBytesBilled"] == str(10**9)
    assert "a query failed: " in caplog.text


def test_a_warehouse_that_does_not_answer_takes_seconds_and_no_page(serve):
    with client_at("http://127.0.0.1:9") as client:
        url = serve(PLACE, client)
        began = dt.datetime.now(dt.UTC)
        assert "The warehouse does not answer" in panel(url).text
        assert dt.datetime.now(dt.UTC) - began < dt.timedelta(seconds=15)
        assert requests.get(f"{url}/exam", timeout=5).status_code == 200
        assert requests.get(f"{url}/exam/choices/test_id", timeout=60).status_code == 204


def test_pages_open_while_everybody_waits_for_the_warehouse(serve, monkeypatch):
    monkeypatch.setattr(asking, "_ANSWER_SECONDS", 4)
    with (
        socket.create_server(("127.0.0.1", 0), backlog=200) as silent,
        client_at(f"http://127.0.0.1:{silent.getsockname()[1]}") as client,
        concurrent.futures.ThreadPoolExecutor(60) as viewers,
    ):
        url = serve(PLACE, client)
        waiting = [viewers.submit(panel, url, form=f"?test_id={n}") for n in range(60)]
        time.sleep(1)
        for path in ("/exam", "/healthz", "/static/dashboard.css"):
            assert requests.get(f"{url}{path}", timeout=2).status_code == 200
        assert not any(each.done() for each in waiting)
        for each in waiting:
            assert "The warehouse does not answer" in each.result().text


def test_a_slow_answer_is_an_answer(serve, applied):
    """An emulator works off queries one by one, so that the last panel waits for all others."""

    class Slow(Counting):
        def query(self, *args, **options):
            assert options["timeout"] >= 30
            return super().query(*args, **options)

    url = serve(applied.dataset, Slow(applied.client))
    assert "No data yet" in panel(url).text


def test_tables_that_do_not_exist_are_no_data_yet(serve, warehouse):
    url = serve(warehouse.dataset, warehouse.client)
    for page in layout.pages().values():
        for each in page.panels:
            text = requests.get(f"{url}/{page.name}/{each.name}", timeout=60).text
            assert each.hint in text if each.hint else "There is no data yet" in text


def test_empty_tables_are_said_to_have_no_data(serve, applied):
    url = serve(applied.dataset, applied.client)
    for page in (page for page in layout.pages().values() if not page.optional):
        for each in page.panels:
            text = requests.get(f"{url}/{page.name}/{each.name}", timeout=60).text
            assert (each.hint or each.nothing) in text
            assert 'class="problem"' not in text


def test_many_viewers_are_one_query_until_it_is_old(serve, applied):
    now = [0.0]
    client = Counting(applied.client)
    url = serve(applied.dataset, client, clock=lambda: now[0])

    def look(form="?days=7"):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: panel(url, form=form), range(20)))
        assert {answer.status_code for answer in answers} == {200}
        return client.count

    assert look() == 1
    now[0] = asking.LIVE_SECONDS - 0.1
    assert look() == 1
    now[0] = asking.LIVE_SECONDS
    assert look() == 2
    past = "?from=2026-03-01&to=2026-03-02"
    assert look(past) == 3
    now[0] += asking.PAST_SECONDS - 0.1
    assert look(past) == 3
    now[0] += 0.1
    assert look(past) == 4


def test_a_failure_is_asked_again_soon_and_not_by_everybody(serve):
    now = [0.0]
    with refusing(*TABLE) as (address, bodies), client_at(address) as client:
        url = serve(PLACE, client, clock=lambda: now[0])
        for _ in range(3):
            panel(url)
        assert len(bodies) == 1
        now[0] = asking.FAILURE_SECONDS
        panel(url)
        assert len(bodies) == 2


def test_the_cache_forgets_what_was_asked_longest_ago(serve, applied, monkeypatch):
    monkeypatch.setattr(asking, "_MOST_ANSWERS", 2)
    client = Counting(applied.client)
    url = serve(applied.dataset, client)
    for test in ("a", "b", "c", "c", "b", "a"):
        panel(url, form=f"?test_id={test}")
    assert client.count == 4


def test_bytes_are_not_known_on_an_emulator(serve, applied, monkeypatch):
    seed.insert(applied)
    url = serve(applied.dataset, applied.client)
    assert "bytes read: not known" in panel(url).text
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST")
    assert "MB read" in panel(url, form="?days=30").text


@pytest.mark.browser
def test_fifty_viewers_for_a_minute(serve, applied):
    """Everybody asks for every panel each 15 seconds, as the page does."""
    seed.insert(applied)
    client = Counting(applied.client)
    url = serve(applied.dataset, client)
    panels = [each.name for each in layout.pages()["exam"].panels if not each.needs]

    def view(number):
        refreshes = 4
        for turn in range(refreshes):
            time.sleep(max(0.0, began + turn * 15 + number * 0.05 - time.monotonic()))
            for name in panels:
                assert panel(url, name, "?days=7").status_code == 200

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(50) as viewers:
        list(viewers.map(view, range(50)))
    seconds = time.monotonic() - began
    assert client.count <= len(panels) * (1 + seconds / asking.LIVE_SECONDS)
