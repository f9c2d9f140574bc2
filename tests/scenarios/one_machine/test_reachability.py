"""A Pub/Sub that cannot be reached, which its client retries without a word."""

import contextlib
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.cloud.pubsub_v1 import SubscriberClient

from local_runner.environment import PubSubNames
from pipeline.micro_batch import reachability
from pipeline.micro_batch.batch_queue import BatchQueue
from pipeline.micro_batch.puller import Puller
from pipeline.micro_batch.reachability import Reachability
from tests.scenarios.outages.doors import TcpDoor

PATIENCE_SECONDS = 60
SUBSCRIPTION = "projects/local-exams/subscriptions/events"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(reachability, "_REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(reachability, "_TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(reachability, "_SILENT_SECONDS", 3.0)


@pytest.fixture
def door(pubsub, monkeypatch):
    with TcpDoor(int(pubsub.rpartition(":")[2])) as door:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", door.host)
        yield door


@pytest.fixture
def puller(quick, door):
    pubsub = PubSubNames.of(uuid.uuid4().hex)
    pubsub.create()
    with Puller(pubsub.subscription, BatchQueue(10, 1.0), 10) as puller:
        wait_until(lambda: puller.fault is None)
        yield puller


def wait_until(done):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def silent(puller):
    return (puller.fault or "").startswith("Pub/Sub has not answered for ")


@pytest.mark.parametrize("trouble", [TcpDoor.shut, TcpDoor.forget])
def test_a_connection_that_is_gone_is_a_fault_until_it_is_back(puller, door, trouble):
    time.sleep(4)
    assert puller.fault is None
    trouble(door)
    wait_until(lambda: silent(puller))
    door.shut()
    door.open()
    wait_until(lambda: puller.fault is None)


class Refuses(grpc.GenericRpcHandler):
    """A Pub/Sub that denies access to everything."""

    def service(self, handler_call_details):
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
        )


@contextlib.contextmanager
def asking(host, monkeypatch):
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
    with SubscriberClient() as client:
        yield Reachability(client, SUBSCRIPTION)


def test_a_refusal_is_an_answer(monkeypatch):
    server = grpc.server(ThreadPoolExecutor(2), [Refuses()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with asking(f"127.0.0.1:{port}", monkeypatch) as pubsub:
        assert pubsub.answers()
    server.stop(grace=None).wait()


def test_a_subscription_that_is_missing_is_an_answer(pubsub, monkeypatch):
    with asking(pubsub, monkeypatch) as pubsub:
        assert pubsub.answers()


def test_nobody_at_the_other_end_is_no_answer(quick, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        port = black_hole.getsockname()[1]
        with asking(f"127.0.0.1:{port}", monkeypatch) as pubsub:
            assert not pubsub.answers()
    with asking(f"127.0.0.1:{port}", monkeypatch) as pubsub:
        assert not pubsub.answers()
