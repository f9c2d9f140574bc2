"""How a stream of the direct runner ends, on the real emulators behind doors."""

import signal

import pytest
from google.cloud.pubsub_v1 import SubscriberClient

from tests.outages import doors
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("outages_of_storage")

OPTIONS = ("--write_method=STREAMING_INSERTS",)


def test_a_stream_that_waits_stops_when_it_is_told(stream, bigquery):
    mark = stream.mark()
    bigquery.rest.treatment = doors.cuts_off
    stream.publish(25)
    stream.wait_for_line("BigQuery is not available", mark)
    assert stream.end(signal.SIGTERM) == 0
    bigquery.rest.treatment = doors.pass_on
    assert "Traceback" not in stream.log_from(mark)


def test_a_stream_whose_subscription_goes_ends_in_one_line(stream, pubsub, environment):
    mark = stream.mark()
    stream.start(environment)
    stream.wait_for_line(" reading ", mark)
    pubsub.shut()
    with SubscriberClient() as subscriber:
        subscriber.delete_subscription(subscription=stream.wires.subscription)
    pubsub.open()
    assert stream.process.wait(PATIENCE_SECONDS) == 1
    *_, last = stream.log_from(mark).splitlines()
    assert last.startswith("error: the direct runner gives up (NotFound): run it again")
    assert "Traceback" not in stream.log_from(mark)
