"""The client killed while a run is under way: all tables and the success row, or none of it."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

from google.api_core.exceptions import NotFound

from tests.conftest import Warehouse
from tests.ddl import golden
from tests.warehouse import running
from tests.warehouse.running import WRITTEN
from warehouse.metadata import Metadata

KILLS = 3
# Seconds in which the job of a run that has begun has ended.
_ENDS_WITHIN = 40


def test_a_killed_client_leaves_everything_or_nothing(applied: Warehouse) -> None:
    tables = golden.load("stored_facts").tables
    chance = random.Random(3)
    command = [sys.executable, "-m", "warehouse", "run", "--dataset", str(applied.dataset)]
    running.arrive(applied, {"dimension_changes_fact": tables["dimension_changes_fact"]})
    for part in range(KILLS):
        before = running.stored(applied, *WRITTEN)
        running.arrive(applied, {"events_fact": tables["events_fact"][part::KILLS]})
        client = subprocess.Popen(command, env=dict(os.environ), start_new_session=True)
        time.sleep(chance.uniform(4, 12))
        client.send_signal(signal.SIGKILL)
        client.wait()
        after = _settled(applied)
        assert after in (before, running.live(applied))
    _run_when_free(command)
    assert running.stored(applied, *WRITTEN) == running.live(applied)
    assert len(running.stored(applied)["sessions_fact"]) == 4


def _settled(warehouse: Warehouse) -> dict[str, list[golden.Row]]:
    """The tables when the server has ended what it began; an emulator shows what is on the way."""
    found = Metadata(warehouse.client, warehouse.dataset).latest(1)
    deadline = time.monotonic() + _ENDS_WITHIN
    while found and time.monotonic() < deadline:
        with contextlib.suppress(NotFound):
            if warehouse.client.get_job(found[0]["job_id"]).state == "DONE":
                break
        time.sleep(0.5)
    return running.stored(warehouse, *WRITTEN)


def _run_when_free(command: list[str]) -> None:
    """A run that never started its job counts as under way for two minutes."""
    deadline = time.monotonic() + 180
    while subprocess.run(command, check=False).returncode:
        assert time.monotonic() < deadline
        time.sleep(5)
