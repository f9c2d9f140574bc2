"""A BigQuery that refuses every query with one of its own errors, and notes what was asked."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

# Texts and reasons as BigQuery gives them.
COLUMN = (
    403,
    "accessDenied",
    "Access Denied: BigQuery BigQuery: User has neither fine-grained reader nor masked get "
    'permission to get data protected by policy tag "students : id" on column '
    "local-exams.exams.events_fact.student_id.",
)
TABLE = (
    403,
    "accessDenied",
    "Access Denied: Table local-exams:exams.events_fact: User does not have permission to query "
    "table local-exams:exams.events_fact, or perhaps it does not exist.",
)
BYTES = (
    400,
    "bytesBilledLimitExceeded",
    "Query exceeded limit for bytes billed: 10000000. 20971520 or higher required.",
)
SYNTAX = (400, "invalidQuery", "Syntax error: Unexpected keyword WHERE at [3:1]")
OVERLOAD = (503, "backendError", "Error encountered during execution. Retrying may solve it.")


@contextlib.contextmanager
def refusing(status: int, reason: str, message: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Gives the server's address, and the bodies of its requests."""
    bodies: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            error = {"message": message, "domain": "global", "reason": reason}
            answer = {"error": {"code": status, "message": message, "errors": [error]}}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
