"""A TCP door before a service: closed, it is an outage."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator


class Door(socketserver.ThreadingTCPServer):
    """Passes connections on to a service while it is open."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, service: str) -> None:
        """Takes HOST:PORT of the service."""
        super().__init__(("127.0.0.1", 0), _Connection)
        host, port = service.split(":")
        self.service = (host, int(port))
        self.passing: set[socket.socket] = set()
        self.is_open = True

    @property
    def host(self) -> str:
        """HOST:PORT to reach the service by."""
        return f"127.0.0.1:{self.server_address[1]}"

    def shut(self) -> None:
        """Cuts every connection, and each new one."""
        self.is_open = False
        for end in list(self.passing):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        """Lets connections through again."""
        self.is_open = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is no news."""


class _Connection(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        if not self.server.is_open:
            return
        with socket.create_connection(self.server.service) as service:
            self.server.passing |= {self.request, service}
            back = threading.Thread(target=_pass_on, args=(service, self.request))
            back.start()
            _pass_on(self.request, service)
            back.join()
            self.server.passing -= {self.request, service}


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def door_to(service: str) -> Iterator[Door]:
    """Yields an open door to HOST:PORT."""
    with Door(service) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield door
        door.shut()
        door.shutdown()
