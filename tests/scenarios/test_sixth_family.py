"""A family that only this test knows goes the whole way, with nothing but its folders added.

The packages are copied, the two folders are added to the copy, and its commands are run.
"""

import contextlib
import datetime as dt
import decimal
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "sixth_family"
NAME = "deliveries"
FAMILY = f"--event_family={NAME}"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
SCANS = f"""
    SELECT parcel_id, stop.depot, scan.weight, extra
    FROM {{dataset}}.{NAME}, UNNEST(stops) AS stop, UNNEST(stop.scans) AS scan
    ORDER BY parcel_id, scan.weight
"""
COUNT = f"""
    SELECT COUNT(DISTINCT message_id) AS n FROM (
        SELECT message_id FROM {{dataset}}.{NAME}_fact
        UNION ALL SELECT message_id FROM {{dataset}}.dead_letters)
"""


def delivery(parcel, recipient, at=f"{NOW:%Y-%m-%dT%H:%M:%SZ}", weight="1.100000001", **stop):
    scan = {"at": at, "weight": weight}
    return {
        "event_type": "delivered",
        "parcel_id": parcel,
        "recipient_id": recipient,
        "happened_at": NOW.isoformat(),
        "stops": [{"depot": "north", "scans": [scan]} | stop],
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The packages, with one family more."""
    root = tmp_path_factory.mktemp("tree")
    for package in ("schemas", "gcp", "transforms", "pipeline", "ddl", "local_runner"):
        shutil.copytree(ROOT / package, root / package)
    folder = root / "schemas" / NAME
    folder.mkdir()
    shutil.copy(FILES / "family.py", folder)
    shutil.copy(FILES / "deliveries.avsc", folder / "v1.avsc")
    (folder / "__init__.py").touch()
    return root


def command(tree, *arguments, code=0):
    """Runs a command of the copy; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def micro_batch(tree, names, dataset, log):
    arguments = [
        "--micro_batch",
        f"--input_subscription={names['events'][1]}",
        f"--dead_letter_topic={names['dead-letters'][0]}",
        f"--dataset={dataset}",
    ]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.main", FAMILY, *arguments],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            stderr=output,
        )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_a_family_is_two_folders(tree, topics, warehouse, tmp_path):
    names, publisher, _ = topics
    dataset = f"--dataset={warehouse.dataset}"

    def rows(sql):
        job = warehouse.client.query(sql.format(dataset=f"`{warehouse.dataset}`"))
        return [dict(row.items()) for row in job.result()]

    def wait_for(count):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while rows(COUNT)[0]["n"] < count:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)

    command(tree, "ddl", "render", FAMILY)
    command(tree, "ddl", "apply", FAMILY, dataset)
    again = command(tree, "ddl", "apply", FAMILY, dataset)
    assert "table" not in again  # views are replaced: the emulator does not report their queries

    naive = delivery("p3", "ann", at=f"{NOW:%Y-%m-%dT%H:%M:%S}", weight=7)
    sent = [
        delivery("p1", "ann", gate="b"),
        delivery("p1", "ann", gate="b"),  # says the same: one event
        delivery("p2", "bob", weight=0.5),
        naive,
    ]
    log = tmp_path / "pipeline.log"
    for body in sent:
        publisher.publish(names["events"][0], json.dumps(body).encode()).result()
    with micro_batch(tree, names, warehouse.dataset, log):
        wait_for(4)
        letters = rows("SELECT event_family, error_field FROM {dataset}.dead_letters")
        assert letters == [{"event_family": NAME, "error_field": "stops[0].scans[0].at"}]
        command(tree, "pipeline.reconcile", FAMILY, dataset, "--expected=4")
        topic = f"--topic={names['events'][0]}"
        command(tree, "pipeline.replay", FAMILY, dataset, topic, "--fix=assume_utc")
        wait_for(5)
    command(tree, "pipeline.reconcile", FAMILY, dataset, "--expected=5")
    command(tree, "pipeline.reconcile", FAMILY, dataset, "--expected=6", code=1)
    command(tree, "ddl", "check", FAMILY, dataset)

    found = rows(SCANS)
    assert [(row["parcel_id"], row["weight"]) for row in found] == [
        ("p1", decimal.Decimal("1.100000001")),
        ("p2", decimal.Decimal("0.5")),
        ("p3", decimal.Decimal(7)),
    ]
    extra = found[0]["extra"]
    assert (json.loads(extra) if isinstance(extra, str) else extra) == {"stops[0].gate": "b"}

    persons = tmp_path / "persons.txt"
    persons.write_text("ann\n")
    command(tree, "pipeline.erase", FAMILY, dataset, f"--persons={persons}")
    assert [row["parcel_id"] for row in rows(SCANS)] == ["p2"]
    assert rows("SELECT COUNT(*) AS n FROM {dataset}.dead_letters") == [{"n": 0}]
