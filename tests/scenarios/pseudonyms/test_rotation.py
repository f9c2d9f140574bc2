"""Keys rotate under way: rows of before and after join, whatever is killed."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.scenarios.pseudonyms.people import FAMILIES as NAMES
from tests.scenarios.pseudonyms.people import ID, encoded, messages, person, stored, traces
from tests.support.commands import run
from tests.support.events import NOW, event
from tests.support.pseudonyms import KEYS, OPTIONS, VARIABLES, expected
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def shop(applied_families, monkeypatch):
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, KEYS[name])
    return applied_families


@pytest.fixture
def write(shop, tmp_path):
    """Runs messages through the pipeline."""

    def with_messages(*payloads, options, families="exam_event"):
        file = tmp_path / "messages.jsonl"
        file.write_bytes(encoded(*payloads))
        done = run(
            f"--input={file}", f"--dataset={shop.dataset}", f"--event_family={families}", *options
        )
        assert done.returncode == 0, done.stderr

    return with_messages


def rotating(shop, *options, **started):
    """The command that replaces what is under k1."""
    command = [sys.executable, "-m", "pipeline.pseudonym", "rotate", f"--dataset={shop.dataset}"]
    return subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        **started,
    )


def ended(process):
    out, error = process.communicate(timeout=PATIENCE_SECONDS)
    assert ID not in out + error
    assert not any(key in out + error for key in KEYS.values())
    assert process.returncode == 0, out + error
    return out


def under(shop, name):
    """Where pseudonyms of a key are stored."""
    return {(table, column) for table, column, value in stored(shop) if f"{name}." in str(value)}


def spread(number, days):
    """One answer of a person on each of so many days."""
    return [
        event(
            f"e-{number}-{day}",
            student_id=person(number),
            session_id=f"session-{number}",
            client_ts=(NOW - dt.timedelta(days=day)).isoformat(),
        )
        for day in range(days)
    ]


def rotate_with_a_kill(shop, write, persons, days):
    """Half of the events under k1, a rotation that is killed, the other half under both keys."""
    write(*(each for n in range(persons) for each in spread(n, days)[::2]), options=OPTIONS[:1])
    keys = (OPTIONS[1], "--replaces=k1")
    process = rotating(shop, *keys)
    count = f"SELECT COUNTIF(student_id LIKE 'k2.%') AS n FROM `{shop.dataset}.events_fact`"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while next(iter(shop.client.query(count).result())).n == 0:
        assert process.poll() in (None, 0)
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate()
    write(*(each for n in range(persons) for each in spread(n, days)[1::2]), options=OPTIONS)
    ended(rotating(shop, *keys))
    sql = f"SELECT student_id, COUNT(*) AS n FROM `{shop.dataset}.events` GROUP BY student_id"
    found = {row.student_id: row.n for row in shop.client.query(sql).result()}
    assert found == {expected(person(n), "k1", "k2"): days for n in range(persons)}


def test_every_row_joins_after_a_rotation_that_was_killed(shop, write):
    rotate_with_a_kill(shop, write, persons=2, days=10)


@pytest.mark.soak
def test_50_000_events_join_after_a_rotation_that_was_killed(shop, write):
    rotate_with_a_kill(shop, write, persons=1_000, days=50)


def test_ids_get_pseudonyms_and_pseudonyms_new_ones_in_every_table(shop, write):
    write(*messages(1), *messages(2), options=(), families=NAMES)
    assert {table for table, _ in traces(shop)} >= {
        *("events_fact", "dead_letters", "dimension_changes_fact", "orders_fact"),
        *("user_activity_fact", "events", "students_dim", "tests_dim"),
    }
    assert "would be looked at" in ended(rotating(shop, *OPTIONS[:1], "--dry_run"))
    assert under(shop, "k1") == set()
    ended(rotating(shop, *OPTIONS[:1]))
    # Of an unknown field nobody knows afterwards that it named the event's own person.
    assert {column for _, column in traces(shop)} <= {"extra", "error_payload"}
    places = under(shop, "k1")
    ended(rotating(shop, OPTIONS[1], "--replaces=k1"))  # with the new key alone
    assert (under(shop, "k1"), under(shop, "k2")) == (set(), places)
    [row] = shop.client.query(
        f"SELECT DISTINCT student_id FROM `{shop.dataset}.events` WHERE event_id = 'start-2'"
    ).result()
    assert row.student_id == expected(person(2), "k1", "k2")
    again = ended(rotating(shop, OPTIONS[1], "--replaces=k1"))
    assert all(line.endswith(": 0 values in 0 partitions replaced") for line in again.splitlines())
    tables = [item.table_id for item in shop.client.list_tables(str(shop.dataset))]
    assert not any(table.startswith("pseudonym_replacements_") for table in tables)
