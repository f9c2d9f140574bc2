"""What the benchmarks have in common."""

import datetime as dt
import json
import subprocess
import sys

import pytest

from benchmarks import __main__ as cli
from benchmarks.harness import report
from benchmarks.harness.billing import insert_all_bytes, row_bytes
from benchmarks.harness.measure import Figure, Rounds, interleaved
from benchmarks.harness.traffic import UNKNOWN_FIELDS, payloads, stream


def test_the_peak_of_a_run_is_its_own():
    """Linux hands the peak of a process down to those that it starts."""
    ours = bytearray(b"x" * 2**29)
    command = [sys.executable, "-m", "benchmarks.harness.growth_run", "events", "10"]
    measured = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert 2**26 < measured["peak_bytes"] < len(ours)


def test_ratios_are_medians_of_what_ran_side_by_side():
    times = {"ours": iter([9, 1, 2, 30]), "theirs": iter([1, 2, 2, 3])}
    rounds = interleaved({name: (lambda t=t: next(t)) for name, t in times.items()}, rounds=3)
    assert rounds == Rounds({"ours": [1, 2, 30], "theirs": [2, 2, 3]})
    assert rounds.ratio("ours", "theirs") == 1
    assert rounds.median("ours") == 2


def test_a_target_is_reached_or_missed():
    assert Figure("a", 3.0, "", at_most=3).reached is True
    assert Figure("a", 3.1, "", at_most=3).reached is False
    assert Figure("a", 3.0, "", at_least=3).reached is True
    assert Figure("a", 2.9, "", at_least=3).reached is False
    assert Figure("a", 2.9, "").reached is None


def test_the_report_has_every_figure(tmp_path):
    figures = [
        Figure("cheap", 0.5, "of it all", at_most=1),
        Figure("dear", 9.0, "of it all", at_least=90),
        Figure("known", 12_345.0, "of it all", "/s"),
    ]
    report.write(figures, tmp_path)
    assert json.loads((tmp_path / "benchmarks.json").read_text()) == {
        "cheap": 0.5,
        "dear": 9.0,
        "known": 12345.0,
    }
    assert (tmp_path / "benchmarks.png").read_bytes().startswith(b"\x89PNG")
    lines = report.table(figures).splitlines()[1:]
    assert "reached" in lines[0]
    assert "missed" in lines[1]
    assert "12,345 /s" in lines[2]


def test_an_unknown_benchmark_is_refused_in_a_line(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["decoed"])
    assert stopped.value.code == 2
    assert "no benchmark is called decoed" in capsys.readouterr().err


def test_events_on_the_fly_are_events_of_their_own():
    sent = [json.loads(payload) for payload in stream(50)]
    assert len({event["event_id"] for event in sent}) == 50
    assert all(len(event["event_id"]) == 36 for event in sent)
    left = [json.loads(payload) for payload in stream(50, frozenset({"page_view"}))]
    assert len(left) == 50
    assert "page_view" not in {event["event_type"] for event in left}


@pytest.mark.parametrize("carries", [True, False])
def test_unknown_fields_are_carried_where_asked(carries):
    sent = [json.loads(payload) for payload in payloads(20, carries)]
    assert all((event.keys() >= UNKNOWN_FIELDS) is carries for event in sent)


ROW = {
    "text": ("äb", 2 + 3),
    "json": ('{"a":1}', 7),
    "whole": (1, 8),
    "flag": (True, 1),
    "fraction": (0.5, 8),
    "day": (dt.date(2026, 3, 1), 8),
    "moment": (dt.datetime(2026, 3, 1, tzinfo=dt.UTC), 8),
    "bytes": (b"abc", 2 + 3),
    "nothing": (None, 0),
}


@pytest.mark.parametrize("column", ROW)
def test_values_are_billed_by_their_type(column):
    value, size = ROW[column]
    assert row_bytes((column,), (value,), {"json"}) == size


def test_insert_all_bills_no_row_for_less_than_a_kilobyte():
    assert [insert_all_bytes(size) for size in (1, 1024, 1025)] == [1024, 1024, 1025]
