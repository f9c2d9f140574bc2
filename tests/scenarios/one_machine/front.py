"""A front to Google's Pub/Sub emulator that ends the streams of clients that are gone.

The emulator goes on to feed a streaming pull whose client has cancelled it or died: from then on a
share of all messages goes there, and comes back only when its lease is over. The service notices.
The front closes such a stream for its client, and passes everything else through as it is. Taking
it down is an outage of Pub/Sub.
"""

import contextlib
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

_STREAMING_PULL = "/google.pubsub.v1.Subscriber/StreamingPull"
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class _PassThrough(grpc.GenericRpcHandler):
    def __init__(self, emulator: grpc.Channel) -> None:
        self._emulator = emulator

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method
        if method == _STREAMING_PULL:
            call = self._emulator.stream_stream(method)
            return grpc.stream_stream_rpc_method_handler(lambda r, c: _stream(call, r, c))
        call = self._emulator.unary_unary(method)
        return grpc.unary_unary_rpc_method_handler(lambda r, c: _unary(call, r, c))


def _unary(call: Any, request: bytes, context: grpc.ServicerContext) -> bytes:
    try:
        return call(request, timeout=context.time_remaining())
    except grpc.RpcError as error:
        context.abort(error.code(), error.details())


def _stream(call: Any, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    passed: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    answers: queue.SimpleQueue[bytes | grpc.RpcError | None] = queue.SimpleQueue()

    def listen() -> None:
        with contextlib.suppress(Exception):  # however the client goes
            for request in requests:
                passed.put(request)
        passed.put(None)

    def answer() -> None:
        # To the end, in a thread of its own: where the client is gone nobody asks for the rest.
        try:
            for response in call(iter(passed.get, None)):
                answers.put(response)
            answers.put(None)
        except grpc.RpcError as error:
            answers.put(error)

    for target in (listen, answer):
        threading.Thread(target=target, daemon=True).start()
    while (response := answers.get()) is not None:
        if isinstance(response, grpc.RpcError):
            context.abort(response.code(), response.details())
        yield response


@contextlib.contextmanager
def front(emulator_host: str, port: int = 0) -> Iterator[str]:
    """Yields HOST:PORT of a front to the emulator."""
    with grpc.insecure_channel(emulator_host, options=_OPTIONS) as channel:
        server = grpc.server(ThreadPoolExecutor(64), [_PassThrough(channel)], options=_OPTIONS)
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(grace=None).wait()
