"""The log of runs on the emulator."""

import datetime as dt

import pytest

from gcp.runs import COLUMNS, ETL_METADATA, Outcome, Run, RunLog, Status

T0 = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


@pytest.fixture
def log(applied):
    return RunLog(applied.client, applied.dataset)


def run(minute, env=None, name="pull"):
    return Run(pipeline_name=name, env=env, started_at=T0 + dt.timedelta(minutes=minute))


def test_a_run_has_a_state_at_each_moment(log, rows_of):
    states = "SELECT job_id, status, records_processed, error_message FROM {dataset}.etl_job_status"
    first, second = run(0), run(1)
    log.started(first)
    assert [row["status"] for row in rows_of(states)] == ["running"]
    log.ended(first, Status.SUCCEEDED, Outcome(rows_read=3, details={"next_since": 2**62}))
    log.started(second)
    log.ended(second, Status.FAILED, Outcome(error_message="no table answers"))
    assert sorted((row.pop("job_id"), *row.values()) for row in rows_of(states)) == sorted(
        [
            (first.run_id, "completed", 3, None),
            (second.run_id, "failed", None, "no table answers"),
        ]
    )
    assert rows_of("SELECT COUNT(*) AS n FROM {dataset}.etl_metadata") == [{"n": 4}]
    times = "SELECT created_at, updated_at, completed_at FROM {dataset}.etl_job_status"
    assert all(r["created_at"] < r["updated_at"] == r["completed_at"] for r in rows_of(times))


def test_the_last_success_of_an_environment_counts(log):
    assert log.last_details("pull", None) is None
    for minute, env, name, status, since in (
        (0, None, "pull", Status.SUCCEEDED, 1),
        (2, None, "pull", Status.SUCCEEDED, 2),
        (1, None, "pull", Status.SUCCEEDED, 3),
        (3, None, "pull", Status.FAILED, 4),
        (4, "prod", "pull", Status.SUCCEEDED, 5),
        (5, None, "other", Status.SUCCEEDED, 6),
    ):
        log.ended(run(minute, env, name), status, Outcome(details={"next_since": since}))
    assert log.last_details("pull", None) == {"next_since": 2}
    assert log.last_details("pull", "prod") == {"next_since": 5}
    assert log.last_details("pull", "dev") is None


def test_it_fills_every_column(applied):
    table = applied.client.get_table(applied.dataset.table(ETL_METADATA))
    assert sorted(COLUMNS) == sorted(field.name for field in table.schema)
