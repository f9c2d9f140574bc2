"""The long versions (``make soak``): outages by the clock, and what the direct runner loses when it
is killed. Real emulators behind doors, as in the short ones.
"""

import signal
import time

import pytest

from tests.scenarios.outages import doors
from tests.scenarios.outages.streams import Stream, Wires

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("soak_of_a_stream")]

OPTIONS = ("--write_method=STREAMING_INSERTS",)
OUTAGE_SECONDS = 30
HELD_BY_A_CLIENT_SECONDS = 65  # longer than a request may take
QUIET_SECONDS = 20  # longer than Pub/Sub keeps what a dead subscriber took
AT_MOST_HELD = 60  # six bundles of ten


@pytest.mark.parametrize(
    "trouble",
    [
        doors.cuts_off,
        doors.says(500, "internalError"),
        doors.says(429, "rateLimitExceeded"),
        doors.says(403, "accessDenied"),
        doors.answers_after(5),
    ],
    ids=["cut_off", "500", "429", "403", "slow"],
)
def test_bigquery_in_trouble_for_half_a_minute(stream, bigquery, trouble):
    bigquery.rest.treatment = trouble
    stream.publish(300)
    time.sleep(OUTAGE_SECONDS)
    bigquery.rest.treatment = doors.pass_on
    stream.check()


def test_bigquery_that_does_not_answer_within_a_request(stream, bigquery):
    mark = stream.mark()
    bigquery.rest.script.append(doors.answers_after(HELD_BY_A_CLIENT_SECONDS))
    stream.publish(100)
    stream.wait_for_line("BigQuery is not available (ReadTimeout)", mark)
    stream.check()


def test_pubsub_out_of_reach_for_half_a_minute(stream, pubsub):
    pubsub.shut()
    stream.publish(300)
    time.sleep(OUTAGE_SECONDS)
    pubsub.open()
    stream.check()


@pytest.mark.parametrize("trouble", [None, doors.cuts_off], ids=["alone", "in_an_outage"])
def test_what_a_killed_direct_runner_loses(
    new_ledger, bigquery, environment, tmp_path, trouble, capsys
):
    """It acknowledges before it processes: loses what it holds; the rest comes, and once."""
    stream = Stream(Wires.laid(), new_ledger(), tmp_path / "log", OPTIONS)
    stream.start(environment)
    stream.publish(2_000)
    stream.wait_until(lambda: stream.ledger.accounted() >= 700, "a third")
    mark = stream.mark()
    if trouble is not None:
        bigquery.rest.treatment = trouble
        stream.wait_for_line("BigQuery is not available", mark)
        time.sleep(OUTAGE_SECONDS)
    stream.end(signal.SIGKILL)
    bigquery.rest.treatment = doors.pass_on
    stream.start(environment)
    missing = 2_000 - settled(stream.ledger)
    stream.end(signal.SIGKILL)
    with capsys.disabled():
        print(f"\nlost of 2,000: {missing}")
    assert 0 <= missing <= AT_MOST_HELD
    stream.ledger.check_reads()


def settled(ledger):
    """Messages accounted for, once that has stopped growing."""
    count, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        if (now := ledger.accounted()) != count:
            count, since = now, time.monotonic()
        time.sleep(1)
    return count
