"""Servers that keep what they are sent: HTTP, and SMTP as far as a client needs it to send."""

import contextlib
import email
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any


@contextlib.contextmanager
def web_hook() -> Iterator[tuple[str, list[Any]]]:
    """A URL, and the JSON bodies that were posted to it."""
    bodies: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/hook", bodies


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[str, list[EmailMessage]]]:
    """A URL, and the messages that were sent to it."""
    messages: list[EmailMessage] = []

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 local")
            while words := self.rfile.readline().split():
                match words[0].upper():
                    case b"DATA":
                        self.say("354 go on")
                        lines = list(iter(self.rfile.readline, b".\r\n"))
                        messages.append(email.message_from_bytes(b"".join(lines), policy=default))
                        self.say("250 taken")
                    case b"QUIT":
                        self.say("221 bye")
                        return
                    case _:
                        self.say("250 ok")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"smtp://127.0.0.1:{port}", messages


@contextlib.contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
