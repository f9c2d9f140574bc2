"""A stream whose services stand behind doors; one BigQuery emulator of its own, with its data on
disk, so that it can be killed and started again.
"""

import contextlib
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ddl.apply import apply
from gcp.clients import EMULATOR_VARIABLE, STORAGE_EMULATOR_VARIABLE, bigquery_client
from gcp.dataset import Dataset
from local_runner.emulators import ports, start
from local_runner.processes.background import background
from tests.outages.doors import HttpDoor, TcpDoor
from tests.outages.streams import Ledger, Stream, Wires


class DurableBigQuery:
    """bqemulator over files. The addresses of its doors stay, whoever answers behind them.

    Attributes:
        rest: the door of the REST API.
        grpc: the door of the Storage Write API.
    """

    def __init__(self, folder: Path, rest: HttpDoor, grpc: TcpDoor) -> None:
        self.rest, self.grpc = rest, grpc
        self._folder = folder
        self._running = contextlib.ExitStack()
        self._lock = threading.Lock()  # a door may kill it from a thread of its own

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.rest.port, self.grpc.port = ports.free_port(), ports.free_port()
        command = [sys.executable, *start._RUN_BQEMULATOR, "start", "--persistent"]
        command += [f"--data-dir={self._folder}", f"--project={start.PROJECT}"]
        command += [f"--rest-port={self.rest.port}", f"--grpc-port={self.grpc.port}"]
        url, host = f"http://127.0.0.1:{self.rest.port}", f"127.0.0.1:{self.grpc.port}"
        with self._lock:
            self._process = self._running.enter_context(
                background([*command, "--log-level=error"], self._folder / "log")
            )
            start._wait_until(
                lambda: start._bigquery_answers(url) and start._grpc_answers(host),
                self._process,
            )

    def kill(self) -> None:
        """SIGKILL."""
        with self._lock:
            for emulator in psutil.Process(self._process.process.pid).children():
                emulator.kill()
            self._running.close()


@pytest.fixture(scope="session")
def bigquery(tmp_path_factory) -> Iterator[DurableBigQuery]:
    """BigQuery behind its doors."""
    with HttpDoor(port=0) as rest, TcpDoor(port=0) as grpc:
        bigquery = DurableBigQuery(tmp_path_factory.mktemp("bigquery"), rest, grpc)
        bigquery.start()
        yield bigquery
        bigquery.kill()


@pytest.fixture(scope="session")
def pubsub(_pubsub) -> Iterator[TcpDoor]:
    """The door in front of Pub/Sub."""
    with TcpDoor(int(_pubsub.host.rpartition(":")[2])) as door:
        yield door


@pytest.fixture(scope="module")
def environment(bigquery, pubsub, _pubsub) -> Iterator[dict[str, str]]:
    """What leads the pipeline to the doors; the tests themselves go to Pub/Sub directly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EMULATOR_VARIABLE, bigquery.rest.url)
        patch.setenv(STORAGE_EMULATOR_VARIABLE, bigquery.grpc.host)
        patch.setenv(start.PUBSUB_VARIABLE, _pubsub.host)
        yield {**os.environ, start.PUBSUB_VARIABLE: pubsub.host}


@pytest.fixture(scope="module")
def new_ledger(environment) -> Iterator[Callable[[], Ledger]]:
    """Makes a dataset with all tables and views, to which nothing was sent yet."""
    with bigquery_client(start.PROJECT) as client:

        def make() -> Ledger:
            dataset = Dataset(start.PROJECT, f"outages_{uuid.uuid4().hex}")
            apply(client, dataset)
            return Ledger(client, dataset)

        yield make


@pytest.fixture(scope="module")
def stream(request, new_ledger, environment, tmp_path_factory) -> Iterator[Stream]:
    """One that runs, with the module's options; each test goes on where the last one ended."""
    log = tmp_path_factory.mktemp("stream") / "pipeline.log"
    stream = Stream(Wires.laid(), new_ledger(), log, request.module.OPTIONS)
    stream.start(environment)
    stream.wait_for_line(" reading ", 0)
    yield stream
    stream.end(signal.SIGKILL)
