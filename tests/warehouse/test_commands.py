"""``python -m warehouse``: what it prints, and its exit codes."""

import re
import threading

import pytest

from gcp.runs import Run
from tests.conftest import Warehouse
from tests.ddl import golden
from tests.warehouse import running
from warehouse.__main__ import main
from warehouse.metadata import Metadata


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["run", "--start", "2999-01-01"], "--start lies in the future: there is nothing to run"),
        (["run", "--end", "2026-01-01"], "--end needs --start"),
        (["run", "--start", "2026-01-02", "--end", "2026:01:01 10"], "--start must lie before"),
        (["run", "--start", "yesterday"], "--start: must be a date, an hour"),
        (["run", "--verify", "--start", "2026-01-02"], "--verify takes the last days"),
        (["run", "sessions"], "there is no stored table sessions: use question_interaction_fact,"),
        (["run", "--env", "A b"], "--env: must be 1 to 64 letters"),
    ],
)
def test_wrong_arguments_are_one_line(words, line, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--dataset", "local-exams.exams"])
    assert ended.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert line in said


def test_a_day_at_the_command_line(applied: Warehouse, capsys) -> None:
    at = ["--dataset", str(applied.dataset)]
    assert main(["status", *at]) == 0
    assert "No run has succeeded: the next one reads everything" in capsys.readouterr().out

    running.arrive(applied, golden.load("stored_facts").tables)
    assert main(["run", *at]) == 0
    out = capsys.readouterr().out
    assert "Taking what came since the beginning" in out
    assert re.search(r"sessions_fact +4 written", out)

    assert main(["run", "--overlap_hours", "0", *at]) == 0
    assert "Nothing came in this window" in capsys.readouterr().out

    assert main(["run", "--start", "2026:03:02 10", "--end", "2026-03-04", *at]) == 0
    out = capsys.readouterr().out
    assert "days done: 2 of 2" in out
    assert "0 written" in out

    assert main(["status", *at]) == 0
    out = capsys.readouterr().out
    assert "completed" in out
    assert "minutes behind; the next run takes what came since" in " ".join(out.split())

    assert main(["show", "test_funnel_fact", *at]) == 0
    out = capsys.readouterr().out
    assert "MERGE" in out
    assert "question_summary_daily" not in out

    applied.client.delete_table(applied.dataset.table("test_funnel_fact"))
    assert main(["run", *at]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: table {applied.dataset}.test_funnel_fact does not exist: run")


def test_of_two_runs_at_once_the_second_says_so(applied: Warehouse, capsys) -> None:
    """The first has not started its job yet."""
    first = Run(pipeline_name="warehouse", run_id="warehouse_first")
    metadata = Metadata(applied.client, applied.dataset)
    metadata.started(first)
    assert main(["run", "--dataset", str(applied.dataset)]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: another run is under way since")
    assert "warehouse_first" in said

    # It never did.
    dead = f"""UPDATE `{applied.dataset}.etl_metadata`
        SET started_at = TIMESTAMP_SUB(started_at, INTERVAL 1 HOUR)
        WHERE run_id = 'warehouse_first'"""
    applied.client.query(dead).result()
    assert main(["run", "--dataset", str(applied.dataset)]) == 0
    assert main(["status", "--dataset", str(applied.dataset)]) == 0
    assert "ended without a result" in " ".join(capsys.readouterr().out.split())
    states = [row["status"] for row in metadata.latest(10)]
    assert sorted(states) == ["completed", "failed", "running"]


def test_a_run_and_another_in_the_same_second(applied: Warehouse) -> None:
    running.arrive(applied, golden.load("stored_facts").tables)
    codes: list[int] = []
    at = ["--dataset", str(applied.dataset)]
    both = [threading.Thread(target=lambda: codes.append(main(["run", *at]))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert 0 in codes
    assert running.stored(applied, *running.WRITTEN) == running.live(applied)
