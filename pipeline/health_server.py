"""Answers /metrics and /healthz."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


class PortError(Exception):
    """The port cannot be used; the text is the one line to show."""


@contextlib.contextmanager
def serve(
    port: int, registry: CollectorRegistry, fault: Callable[[], str | None]
) -> Iterator[None]:
    """Answers /metrics and /healthz (200, or 503 with the fault) while the context is open.

    Raises:
        PortError: the port cannot be used.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif self.path == "/healthz":
                found = fault()
                self._answer(503 if found else 200, "text/plain", f"{found or 'ok'}\n".encode())
            else:
                self.send_error(404)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Does nothing: scrapes are not logged."""

    try:
        server = http.server.ThreadingHTTPServer(("", port), Handler)
    except OSError as error:
        raise PortError(f"--metrics_port: {port}: {error.strerror}") from None
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
