"""Runs a capture with the arguments of the command."""

import argparse
import contextlib
import logging
import threading
from collections.abc import Iterator

import psycopg
from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.cloud.pubsub_v1 import PublisherClient
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from gcp.errors import SERVICE_ERRORS, about, explain
from gcp.secrets import SecretError
from pipeline import health_server
from pipeline.capture.health import Health
from pipeline.capture.loop import Capture
from pipeline.capture.pgoutput import ProtocolError
from pipeline.capture.slot import Slot
from pipeline.sources.postgres.engine import get_engine, place
from pipeline.sources.postgres.input import PostgresInput, SourceError

_LOG = logging.getLogger(__name__)
_MEASURE_SECONDS = 10.0
_ASK_SECONDS = 5.0


def run(args: argparse.Namespace, stop: threading.Event) -> str | None:
    """Captures until ``stop`` is set; returns the fault that ended it before, in one line."""
    try:
        _capture(args, stop)
    except (SourceError, SecretError, ProtocolError, health_server.PortError) as error:
        return str(error)
    except SERVICE_ERRORS as error:
        return explain(error)
    return None


def _capture(args: argparse.Namespace, stop: threading.Event) -> None:
    mapping = args.source_mapping
    families = frozenset(family.name for family in args.event_family)
    keys = args.pseudonym_key
    source = PostgresInput(
        args.env, mapping, families, pseudonym_key=None if keys is None else keys.identity_key
    )
    if not source.tables():
        raise SourceError("no table of --source_mapping has events of --event_family")
    engine = get_engine(args.env, QueuePool)
    slot = Slot(args.slot, args.publication)
    health = Health(slot.name, args.max_slot_lag_bytes)
    publisher = PublisherClient()
    _check_topic(publisher, args.topic)
    with contextlib.ExitStack() as stack:
        if args.metrics_port is not None:
            stack.enter_context(
                health_server.serve(args.metrics_port, health.registry, health.fault)
            )
        stack.enter_context(_measured(engine, slot, health))
        _LOG.info("capturing %s, publishing to %s", place(engine), args.topic)
        capture = Capture(engine, source, slot, publisher, args.topic, health, stop)
        capture.run(args.poll_seconds)


def _check_topic(publisher: PublisherClient, topic: str) -> None:
    """Raises NotFound for a topic that does not exist; what cannot be asked is found out later."""
    try:
        with about(f"topic {topic}"):
            publisher.get_topic(topic=topic, retry=None, timeout=_ASK_SECONDS)
    except NotFound:
        raise
    except (GoogleAPICallError, RetryError):
        return


@contextlib.contextmanager
def _measured(engine: Engine, slot: Slot, health: Health) -> Iterator[None]:
    """Measures the slot from time to time, also while the capture waits for Pub/Sub."""
    closed = threading.Event()

    def measure() -> None:
        while not closed.is_set():
            # An unreachable database is the capture's business.
            with contextlib.suppress(psycopg.Error, DBAPIError):
                health.keeps(slot.retained_bytes(engine))
            closed.wait(_MEASURE_SECONDS)

    threading.Thread(target=measure, daemon=True).start()
    try:
        yield
    finally:
        closed.set()
