"""The page's application on a real port, over the emulator."""

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from dashboard.server import create_app
from dashboard.warehouse import Warehouse
from tests.dashboard.seed import TODAY
from tests.ddl.conftest import dataset, googlesql

__all__ = ["dataset", "googlesql"]

Serve = Callable[..., str]


@contextlib.contextmanager
def _running(app) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts the application for a dataset and client; gives its address."""
    with contextlib.ExitStack() as stack:

        def start(place, client, max_bytes=10**9, clock=time.monotonic, today: dt.date = TODAY):
            app = create_app(place, Warehouse(client, max_bytes, clock), lambda: today)
            return stack.enter_context(_running(app))

        yield start
