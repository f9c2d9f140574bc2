"""Doors in front of the real emulators, which a test shuts or makes answer like a service in
trouble. Whatever is let through reaches the real part, and what is stored is stored there.
"""

import collections
import contextlib
import http.client
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self


class Answer(NamedTuple):
    status: int
    body: bytes
    kind: str = "application/json"


class Exchange(http.server.BaseHTTPRequestHandler):
    """One request, and the ways to treat it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def forward(self) -> Answer:
        """Asks the real part."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.door.port, timeout=120)
        with contextlib.closing(connection):
            headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            connection.request(self.command, self.path, self.body, headers)
            answer = connection.getresponse()
            kind = answer.getheader("Content-Type", "application/json")
            return Answer(answer.status, answer.read(), kind)

    def answer(self, answer: Answer, length: int | None = None) -> None:
        """Answers; with fewer bytes than announced if ``length`` cuts the body."""
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:length])

    def drop(self) -> None:
        """Ends the connection without another word."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever the method
            return self._treat
        raise AttributeError(name)

    def _treat(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.server.door.treat(self)
        except (OSError, http.client.HTTPException):  # the real part is unreachable
            self.drop()

    def log_message(self, *_: object) -> None:
        pass


Treatment = Callable[[Exchange], None]


def pass_on(exchange: Exchange) -> None:
    exchange.answer(exchange.forward())


def says(code: int, reason: str | None = None) -> Treatment:
    """An answer in BigQuery's form; without a reason, that of a gateway in between."""

    def treat(exchange: Exchange) -> None:
        if reason is None:
            exchange.answer(Answer(code, b"<html><h1>Error</h1></html>", "text/html"))
            return
        error = {"code": code, "message": "no", "errors": [{"reason": reason, "message": "no"}]}
        exchange.answer(Answer(code, json.dumps({"error": error}).encode()))

    return treat


def says_json(code: int, body: bytes) -> Treatment:
    return lambda exchange: exchange.answer(Answer(code, body))


def answers_after(seconds: float) -> Treatment:
    def treat(exchange: Exchange) -> None:
        time.sleep(seconds)
        pass_on(exchange)

    return treat


def cuts_off(exchange: Exchange) -> None:
    exchange.drop()


def loses_the_answer(exchange: Exchange) -> None:
    """The rows are written, and nobody learns of it."""
    exchange.forward()
    exchange.drop()


def half_an_answer(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.answer(answer, length=len(answer.body) // 2)
    exchange.drop()


class _Server(http.server.ThreadingHTTPServer):
    door: "HttpDoor"


class HttpDoor:
    """In front of BigQuery's REST API.

    Attributes:
        port: where the real part listens on this machine; may change.
        treatment: how every request is treated.
        script: how the next streaming inserts are treated, one after the other; then as above.
        troubled: requests that were not passed on as they came.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.treatment: Treatment = pass_on
        self.script: collections.deque[Treatment] = collections.deque()
        self.troubled = 0
        self._server = _Server(("127.0.0.1", 0), Exchange)
        self._server.door = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def treat(self, exchange: Exchange) -> None:
        treatment = self.treatment
        if "/insertAll" in exchange.path and self.script:
            treatment = self.script.popleft()
        self.troubled += treatment is not pass_on
        treatment(exchange)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class TcpDoor:
    """In front of a gRPC service: lets bytes through, or nobody.

    Attributes:
        port: where the real part listens on this machine; may change.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._own_port = 0
        self._pipes: list[socket.socket] = []
        self._forgotten: set[socket.socket] = set()
        self._countdown, self._at_zero = 0, _nothing
        self.open()

    @property
    def host(self) -> str:
        """HOST:PORT of the door."""
        return f"127.0.0.1:{self._own_port}"

    def open(self) -> None:
        """Listens, where it listened before."""
        self._listener = socket.create_server(("127.0.0.1", self._own_port))
        self._own_port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Cuts every connection; new ones are refused."""
        for pipe in (self._listener, *self._pipes):
            with contextlib.suppress(OSError):
                pipe.shutdown(socket.SHUT_RDWR)
            pipe.close()
        self._pipes.clear()

    def forget(self) -> None:
        """Brings nothing more through the connections of now, and does not say so."""
        self._forgotten.update(self._pipes)

    def after(self, size: int, action: Callable[[], None]) -> None:
        """Does something once so many more bytes went in."""
        self._countdown, self._at_zero = size, action

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.port))
                except ConnectionRefusedError:  # the real part is unreachable
                    near.close()
                    continue
                self._pipes += [near, far]
                for pair in ((near, far, self._count), (far, near, _nothing)):
                    threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _count(self, size: int = 0) -> None:
        before, self._countdown = self._countdown, self._countdown - size
        if before > 0 >= self._countdown:
            self._at_zero()

    def _copy(
        self, source: socket.socket, goal: socket.socket, report: Callable[[int], None]
    ) -> None:
        """Copies to the end; where either side is gone, so is the other."""
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if source not in self._forgotten:
                    goal.sendall(data)
                    report(len(data))
        for pipe in (source, goal):
            with contextlib.suppress(OSError):
                pipe.shutdown(socket.SHUT_RDWR)


def _nothing(size: int = 0) -> None:
    pass
