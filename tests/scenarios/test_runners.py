"""The same graph, unchanged, on every runner that runs here: identical rows."""

import datetime as dt
import json
import random
import subprocess
import sys

import pytest

from gcp.clients import bigquery_client
from local_runner.emulators.start import PROJECT
from schemas.families import DEFAULT_FAMILY
from tests.support import go_programs
from tests.support.events import NOW, bodies, event
from tests.support.payloads import DEAD, FACTS

pytestmark = pytest.mark.xdist_group("runners")
RUNNERS = {
    "FnApiRunner, two processes": [
        "--runner=FnApiRunner",
        "--direct_running_mode=multi_processing",
        "--direct_num_workers=2",
    ],
    "direct": ["--runner=BundleBasedDirectRunner"],
    "Prism": ["--runner=PrismRunner", "--environment_type=LOOPBACK"],
}
# When this run wrote a row; all else must be the same.
OF_THE_RUN = {"ingest_ts", "failed_at"}


def payloads():
    """Every kind of fact and of dead letter, and sessions whose lines come in disorder."""
    lines = bodies(*FACTS, *DEAD)
    for number in range(20):
        session = {"session_id": f"sitting-{number}", "student_id": f"student-{number}"}
        start = event(
            f"start-{number}",
            event_type="session_start",
            question_id=None,
            session_duration_seconds=600,
            **session,
        )
        answers = [
            event(
                f"answer-{number}-{minute}",
                client_ts=(NOW + dt.timedelta(minutes=minute)).isoformat(),
                **session,
            )
            for minute in (1, 9, 11, 11)  # the last is a copy
        ]
        lines += [json.dumps(payload).encode() for payload in (start, *answers)]
    random.Random(7).shuffle(lines)
    return lines


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("runners") / "events.jsonl"
    path.write_bytes(b"\n".join(payloads()))
    return path


def rows(client, dataset, table):
    found = client.query(f"SELECT * FROM `{dataset.table(table)}` ORDER BY message_id").result()
    return [{name: value for name, value in row.items() if name not in OF_THE_RUN} for row in found]


def run(source, dataset, options):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.main",
            f"--input={source}",
            f"--dataset={dataset}",
            f"--publish_time={NOW.isoformat()}",
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def written(_bigquery, _datasets, source):
    """Runs the pipeline with options and gives the rows of both tables."""

    def written(options):
        with _datasets.lend(client, [DEFAULT_FAMILY]) as dataset:
            run(source, dataset, options)
            return [rows(client, dataset, table) for table in ("events_fact", "dead_letters")]

    with pytest.MonkeyPatch.context() as patch:
        for name, value in _bigquery.environment.items():
            patch.setenv(name, value)
        with bigquery_client(PROJECT) as client:
            yield written


@pytest.fixture(scope="module")
def expected(written):
    """The rows as the runner writes them that is chosen for a file."""
    return written([])


def test_the_rows_are_of_every_kind(expected):
    facts, letters = expected
    assert (len(facts), len(letters)) == (len(FACTS) + 20 * 5, len(DEAD))
    statuses = {row["late_status"] for row in facts}
    assert statuses == {"ON_TIME", "LATE", "UNKNOWN", "NOT_APPLICABLE"}


@pytest.mark.parametrize("name", RUNNERS)
def test_every_runner_writes_the_same_rows(written, expected, name):
    options = RUNNERS[name]
    if name == "Prism":
        options = [*options, f"--prism_location={go_programs.prism()}"]
    assert written(options) == expected
