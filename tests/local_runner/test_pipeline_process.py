import pytest

from local_runner import pipeline_process
from local_runner.pipeline_process import drain_stream
from local_runner.processes.background import background
from schemas.families import FAMILIES


@pytest.mark.parametrize(
    ("still_at", "said"),
    [
        (0, ["2,500 to come: the pipeline is starting"]),
        (2_483, ["17 to come: an event waits up to 10 s for its session's start"]),
    ],
)
def test_a_count_that_stands_still_is_explained_once(still_at, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pipeline_process, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(pipeline_process, "_SILENCES", (0.05,))
    counts = iter([still_at] * 10 + [2_500])
    counted = []
    with background(["sleep", "600"], tmp_path / "log") as process:
        drain_stream(process, lambda: next(counts), 2_500, counted.append)
    assert counted[-1] == 2_500
    assert capsys.readouterr().out.splitlines() == said


def test_no_session_is_named_where_no_lateness_is_judged(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pipeline_process, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(pipeline_process, "_SILENCES", (0.05,))
    counts = iter([2_483] * 10 + [2_500])
    with background(["sleep", "600"], tmp_path / "log") as process:
        orders = [FAMILIES["orders"]]
        drain_stream(process, lambda: next(counts), 2_500, lambda _: None, orders)
    assert capsys.readouterr().out == "17 to come, none for 0 s: given up after 60 s\n"


def test_a_stream_that_takes_nothing_more_is_given_up_and_says_so_before(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(pipeline_process, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(pipeline_process, "_SILENCES", (0.05, 0.1))
    monkeypatch.setattr(pipeline_process, "START_WAIT_SECONDS", 0.04)
    monkeypatch.setattr(pipeline_process, "_PATIENCE_SECONDS", 1.0)
    with background(["sleep", "600"], tmp_path / "log") as process:
        drain_stream(process, lambda: 2_483, 2_500, lambda _: None)
    assert "none for 0 s: given up after 1 s" in capsys.readouterr().out
