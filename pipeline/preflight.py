"""What is looked at before a run starts, so that a mistake is one clear line and not a retry."""

import dataclasses
import datetime as dt
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import fastavro
from apache_beam.io.filesystem import BeamIOError
from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud import bigquery, pubsub_v1
from requests.exceptions import RequestException

from gcp.clients import (
    EMULATOR_VARIABLE,
    PUBSUB_VARIABLE,
    STORAGE_EMULATOR_VARIABLE,
    bigquery_client,
    storage_write_client,
)
from gcp.retry import gateways_answer_as_outage
from pipeline.config import Config, WriteMethod
from pipeline.lookups.lateness_settings import read_table
from pipeline.lookups.session_starts import query as query_starts
from pipeline.sinks.storage_write.stream import default_stream
from pipeline.sources.files import FileInput, check_archive, match
from schemas.event_time import EventTimeBounds
from schemas.tables import DEAD_LETTERS, LATENESS_SETTINGS
from transforms.dead_letters import DeadLetterRows
from transforms.rows import columns

_LOG = logging.getLogger(__name__)
_RETRY = Retry(timeout=5.0)
_TIMEOUT_SECONDS = 5.0
_DAY = dt.timedelta(days=1)
# How long a row may wait for BigQuery before it is written, its partition being still there.
OUTAGE_MARGIN = _DAY
# A table that keeps its rows for less than three days takes events of the last day all the same.
_LEAST_AGE = _DAY
_AWAY = (GoogleAPICallError, RetryError, GoogleAuthError, RequestException, OSError)
Answer = TypeVar("Answer")


class StartupError(Exception):
    """The run cannot start; the text is the one line to show. Exit code 1."""


def check(config: Config) -> EventTimeBounds:
    """Looks at the inputs, the topic and the tables.

    Returns:
        The configured bounds of event time, within the tables' partition expiration: the row of an
        older event could vanish on arrival.

    Raises:
        StartupError: something is missing, unreachable or not what the pipeline writes to.
    """
    if isinstance(config.input, FileInput):
        _check_files(config.input.name)
    else:
        _check_pubsub("subscription", config.input.name)
    if config.dead_letter_topic is not None:
        _check_pubsub("topic", config.dead_letter_topic)
    facts = _table(config, config.family.table, columns(config.family))
    dead_letters = _table(config, DEAD_LETTERS, DeadLetterRows().columns)
    _check_settings(config)
    if config.write_method is WriteMethod.STORAGE_WRITE_API:
        _check_stream(config)
    if config.micro_batch is not None and config.family.judged_types:
        _check_queries(config)
    return _bounded_by_expiration(config.bounds, filter(None, (facts, dead_letters)))


def _check_files(pattern: str) -> None:
    try:
        for path in match(pattern):
            if path.endswith(".avro"):
                check_archive(path)
    except (OSError, ValueError, BeamIOError, fastavro.schema.SchemaParseException) as error:
        raise StartupError(f"--input: {error}") from None


def _table(config: Config, name: str, filled: Sequence[str]) -> bigquery.Table | None:
    """The table, which must have the columns that rows fill."""
    table_id = config.dataset.table(name)

    def get() -> bigquery.Table:
        client = bigquery_client(config.dataset.project)
        with gateways_answer_as_outage():
            return client.get_table(table_id, retry=_RETRY, timeout=_TIMEOUT_SECONDS)

    missing = f"table {table_id} does not exist: {_how_to_apply(config)}"
    table = _ask(_place("BigQuery", EMULATOR_VARIABLE), get, missing)
    if table is not None:
        lacking = set(filled) - {field.name for field in table.schema}
        if lacking:
            names = ", ".join(sorted(lacking))
            raise StartupError(f"table {name} lacks {names}: {_how_to_apply(config)}")
    return table


def _check_settings(config: Config) -> None:
    if not config.family.judged_types:
        return
    missing = f"table {config.dataset.table(LATENESS_SETTINGS)} does not exist: "
    try:
        _ask(
            _place("BigQuery", EMULATOR_VARIABLE),
            lambda: read_table(config.dataset),
            missing + _how_to_apply(config),
        )
    except ValueError as error:
        raise StartupError(f"{error}: load them again with --lateness_settings") from None


def _check_stream(config: Config) -> None:
    table = config.family.table

    def get() -> None:
        with storage_write_client() as client:
            client.get_write_stream(
                name=default_stream(config.dataset, table), retry=_RETRY, timeout=_TIMEOUT_SECONDS
            )

    missing = f"table {config.dataset.table(table)} does not exist: {_how_to_apply(config)}"
    try:
        _ask(_place("BigQuery's Storage Write API", STORAGE_EMULATOR_VARIABLE), get, missing)
    except ValueError as error:
        raise StartupError(f"{error}, or run with --write_method STREAMING_INSERTS") from None


def _check_queries(config: Config) -> None:
    """By a query the micro-batch mode finds session starts; streams and files need none."""
    now = dt.datetime.now(dt.UTC)
    try:
        query_starts(config.dataset, [], [], now, now, dry_run=True)
    except Forbidden:
        raise StartupError(
            "BigQuery: this account may not run queries, by which --micro_batch finds session "
            f"starts: grant it roles/bigquery.jobUser on {config.dataset.project}"
        ) from None
    except _AWAY as error:
        raise StartupError(f"BigQuery does not answer a query ({type(error).__name__})") from None


def _check_pubsub(kind: str, name: str | None) -> None:
    def get() -> None:
        client = pubsub_v1.PublisherClient() if kind == "topic" else pubsub_v1.SubscriberClient()
        with client:
            getattr(client, f"get_{kind}")(
                request={kind: name}, retry=_RETRY, timeout=_TIMEOUT_SECONDS
            )

    place = _place("Pub/Sub", PUBSUB_VARIABLE)
    _ask(place, get, f"{kind} {name} does not exist: create it first")


def _ask(service: str, question: Callable[[], Answer], missing: str) -> Answer | None:
    """The answer, or None where this account may not ask: the workers' account may."""
    try:
        return question()
    except NotFound:
        raise StartupError(missing) from None
    except Forbidden:
        _LOG.warning("%s: not checked, this account may not look", service)
        return None
    except DefaultCredentialsError:
        raise StartupError(
            f"{service}: no credentials; run gcloud auth application-default login, or set "
            f"{EMULATOR_VARIABLE} and {PUBSUB_VARIABLE}"
        ) from None
    except _AWAY as error:
        raise StartupError(f"{service} does not answer ({type(error).__name__})") from None


def _place(service: str, emulator_variable: str) -> str:
    host = os.environ.get(emulator_variable)
    return f"{service} at {emulator_variable}={host}" if host else service


def _how_to_apply(config: Config) -> str:
    return f"run python -m ddl apply --dataset {config.dataset}"


def _bounded_by_expiration(
    bounds: EventTimeBounds, tables: Iterable[bigquery.Table]
) -> EventTimeBounds:
    # A partition is deleted at its midnight plus the expiration: its last event lives a day less.
    partitionings = [table.time_partitioning for table in tables]
    ages = [
        max(
            dt.timedelta(milliseconds=partitioning.expiration_ms) - _DAY - OUTAGE_MARGIN,
            _LEAST_AGE,
        )
        for partitioning in partitionings
        if partitioning is not None and partitioning.expiration_ms
    ]
    return dataclasses.replace(bounds, max_age=min([bounds.max_age, *ages]))
