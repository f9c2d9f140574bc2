"""The TCP ports that the emulators listen on, all of them on 127.0.0.1."""

import dataclasses
import socket

from local_runner.errors import EmulatorError

_HOST = "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Ports:
    """One for the Pub/Sub emulator; for BigQuery's, one for the REST API and one for gRPC."""

    pubsub: int
    bigquery: int
    grpc: int


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def unused(port: int) -> int:
    """Returns the port if it is free.

    Raises:
        EmulatorError: something listens on it, or this user has no permission to.
    """
    with socket.socket() as probe:
        # Connections that were closed a moment ago do not keep a port in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise EmulatorError(
                f"port {port} cannot be used ({error.strerror}): name another one with --ports"
            ) from None
    return port
