"""An extension granted in sessions once the answers are in, and taken back: by pull, by capture."""

import datetime as dt

import pytest

from ddl.check import checks, count
from tests.scenarios.postgres.conftest import FAMILIES
from tests.support.commands import run

DAY = dt.date(2026, 3, 2)
EXPIRY, EXTENDED = "2026-03-02 10:45:00+00", "2026-03-02 11:15:00+00"
LATE_ANSWER = "2026-03-02 11:00:00+00"
SHOWN = """SELECT
    (SELECT late_status FROM {dataset}.events WHERE answer = 'B') AS event,
    (SELECT deadline_source FROM {dataset}.events WHERE answer = 'B') AS source,
    (SELECT late_submissions FROM {dataset}.session_summary) AS session,
    (SELECT late_submissions FROM {dataset}.question_summary) AS question,
    (SELECT late_submissions FROM {dataset}.test_summary) AS test,
    (SELECT STRING_AGG(DISTINCT late_status) FROM {dataset}.events_fact WHERE answer = 'B') AS fact
"""
LATE = {"event": "LATE", "source": "database", "session": 1, "question": 1, "test": 1}
ON_TIME = {"event": "ON_TIME", "source": "database", "session": 0, "question": 0, "test": 0}


@pytest.fixture(params=["pull", "capture"])
def brought(request, school, captured, machine):
    """Brings the changes so far to the warehouse: so many messages of changed sessions."""
    if request.param == "pull":

        def pull(_):
            done = run("--input_postgres", f"--dataset={machine.warehouse.dataset}", FAMILIES)
            assert done.returncode == 0, done.stderr

        return pull
    captured.read()
    machine.start(FAMILIES)
    changes = f"SELECT COUNT(DISTINCT message_id) FROM `{machine.warehouse.dataset}`"

    def capture(number):
        captured.read()
        sql = f"{changes}.session_changes_fact"
        machine.wait_until(
            lambda: next(iter(machine.warehouse.client.query(sql).result()))[0] == number
        )

    return capture


def test_an_extension_turns_late_answers_and_taken_back_turns_them_again(
    school, brought, machine, rows_of
):
    school.execute(f"UPDATE sessions SET expiry_time = '{EXPIRY}'")
    school.answer(1, "B", LATE_ANSWER)
    brought(1)
    assert rows_of(SHOWN) == [LATE | {"fact": "LATE"}]
    assert extended(machine) == 0

    school.execute(f"UPDATE sessions SET expiry_time = '{EXTENDED}'")
    brought(2)
    assert rows_of(SHOWN) == [ON_TIME | {"fact": "LATE"}]
    assert extended(machine) == 1

    school.execute(f"UPDATE sessions SET expiry_time = '{EXPIRY}'")
    brought(3)
    assert rows_of(SHOWN) == [LATE | {"fact": "LATE"}]
    assert extended(machine) == 0


def extended(machine):
    client, dataset = machine.warehouse.client, machine.warehouse.dataset
    check = next(check for check in checks(dataset) if check.name == "lateness_changed")
    found = count(client, check, DAY, DAY)
    assert found.keys() <= {"extended"}
    return found.get("extended", 0)
