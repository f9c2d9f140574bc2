import io

import pytest
from rich.console import Console

from gcp import console as gcp_console
from local_runner import live_counts
from local_runner.live_counts import LiveCounts, described
from pipeline.counts import Counts
from schemas.errors import ErrorKind

NOTHING = Counts(0, 0, {}, 0)
SOME = Counts(2_295, 73, {"not_json": 100, "too_large": 32, "internal_error": 0}, 3)
MORE = Counts(2_296, 73, {"not_json": 100, "too_large": 32}, 3)


@pytest.fixture
def shown(monkeypatch):
    """Makes a console and gives what it has shown."""

    def on(**options):
        output = io.StringIO()
        console = Console(file=output, width=80, highlight=False, soft_wrap=True, **options)
        for module in (gcp_console, live_counts):
            monkeypatch.setattr(module, "console", console)
        return output.getvalue

    return on


def test_the_counts_add_up_and_name_the_kinds_that_there_are():
    totals, kinds = described(SOME).splitlines()
    assert totals == "received 2,500 = 2,295 facts + 73 duplicates + 132 dead letters"
    assert kinds == "dead letters: not_json 100, too_large 32"
    assert "\n" not in described(NOTHING)


def test_elsewhere_a_line_comes_when_something_changed_and_at_most_every_30_s(shown):
    times, text = iter([0, 0, 1, 29, 30, 30]), shown()
    with LiveCounts(lambda: next(times)) as live:
        live.show(NOTHING)
        assert text() == ""
        live.show(SOME)
        assert text() == described(SOME) + "\n"
        live.show(MORE)
        live.show(MORE)
        assert text() == described(SOME) + "\n"
        live.show(MORE)
        live.show(MORE)
    assert text() == f"{described(SOME)}\n{described(MORE)}\n"


def test_on_a_terminal_the_kinds_are_folded_and_not_cut(shown):
    text = shown(force_terminal=True, _environ={"TERM": "xterm"})
    with LiveCounts() as live:
        live.show(Counts(1, 0, dict.fromkeys(map(str, ErrorKind), 12_345), 0))
    assert all(f"{kind} 12,345" in " ".join(text().split()) for kind in ErrorKind)


def test_a_terminal_has_one_region_that_is_drawn_anew(shown):
    text = shown(force_terminal=True, _environ={"TERM": "xterm"})
    with LiveCounts() as live:
        live.show(SOME)
        live.show(MORE)
    before, _, after = text().rpartition("received 2,501 ")
    assert "received" not in after
    assert "\x1b[1A\x1b[2K" in before  # up and erase: the same lines again
