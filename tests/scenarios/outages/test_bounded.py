"""A file through every outage, on the real BigQuery emulator behind a door: the run goes on, ends
with 0, and every message is there, exactly.
"""

import contextlib
import itertools
import subprocess
import sys

import pytest

from local_runner.traffic.archive import write_archive
from local_runner.traffic.simulate import default_start, simulate
from tests.scenarios.outages import doors

pytestmark = pytest.mark.xdist_group("outages_of_files")

TROUBLES = [
    doors.cuts_off,
    doors.says(500, "internalError"),
    doors.says(503, "backendError"),
    doors.says(429, "rateLimitExceeded"),
    doors.says(403, "accessDenied"),
    doors.says(404, "notFound"),
    doors.says(400, "tableUnavailable"),
    doors.says(400),
    doors.says(408),
    doors.says(502),
    doors.says_json(502, b'{"error": "bad gateway"}'),
    doors.says_json(200, b""),
    doors.half_an_answer,
    doors.loses_the_answer,
]


@pytest.fixture
def run(new_ledger, environment, tmp_path):
    """Runs over a file of so many messages; gives the process and the ledger of its dataset."""
    ledger, path = new_ledger(), tmp_path / "traffic.avro"
    command = [sys.executable, "-m", "pipeline.main", f"--input={path}"]
    with contextlib.ExitStack() as stack:

        def run(size, method):
            traffic = simulate(size, 7, default_start())
            ledger.sent += [(m.payload, str(m.outcome)) for m in traffic]
            write_archive(traffic, path, "projects/p/subscriptions/s", default_start())
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, f"--dataset={ledger.dataset}", f"--write_method={method}"],
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )
            stack.callback(process.kill)
            return process, ledger

        yield run


def test_a_file_is_read_to_its_end_through_every_trouble(bigquery, run):
    pairs = zip(TROUBLES, itertools.repeat(doors.pass_on))
    bigquery.rest.script.extend(itertools.chain.from_iterable(pairs))
    process, ledger = run(7_500, "STREAMING_INSERTS")
    output = process.stderr.read()
    assert process.wait() == 0, output
    assert not bigquery.rest.script, "each trouble was met"
    assert output.count("BigQuery is not available") == len(TROUBLES)
    ledger.check()


def test_a_file_is_read_to_its_end_though_bigquery_is_killed_in_the_middle(bigquery, run):
    bigquery.grpc.after(300_000, bigquery.kill)
    process, ledger = run(2_500, "STORAGE_WRITE_API")
    waits = any("BigQuery is not available" in line for line in process.stderr)
    assert waits, "it never met the outage"
    bigquery.start()
    output = process.stderr.read()
    assert process.wait() == 0, output
    ledger.check()
