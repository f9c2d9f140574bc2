"""Checks before a run starts, so that a mistake is one clear line and not endless retries."""

import dataclasses
import datetime as dt
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec, TypeVar

import fastavro
from apache_beam.io.filesystem import BeamIOError
from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.cloud import bigquery, pubsub_v1
from requests.exceptions import RequestException

from gcp import errors, runs
from gcp.clients import (
    EMULATOR_VARIABLE,
    PUBSUB_VARIABLE,
    STORAGE_EMULATOR_VARIABLE,
    bigquery_client,
    storage_write_client,
)
from gcp.dataset import Dataset
from gcp.retry import gateways_answer_as_outage
from gcp.secrets import SecretDeniedError, SecretError
from pipeline.config import Config, WriteMethod
from pipeline.lookups.lateness_settings import read_table
from pipeline.lookups.session_starts import query as query_starts
from pipeline.pseudonym.keys import PseudonymKeys
from pipeline.sinks.storage_write.stream import default_stream
from pipeline.sources.files import FileInput, check_archive, match
from pipeline.sources.postgres.input import PostgresInput
from schemas.contract import walk
from schemas.event_time import Bounds, EventTimeBounds
from schemas.family import EventFamily
from schemas.tables import DEAD_LETTERS, LATENESS_RULES
from transforms.dead_letters import DeadLetterRows
from transforms.rows import filled

_LOG = logging.getLogger(__name__)
_RETRY = Retry(timeout=5.0)
_TIMEOUT_SECONDS = 5.0
_DAY = dt.timedelta(days=1)
# How long a row may wait for BigQuery and still find its partition.
OUTAGE_MARGIN = _DAY
# A table that keeps its rows for less than three days still accepts events of the last day.
_LEAST_AGE = _DAY
_AWAY = (GoogleAPICallError, RetryError, GoogleAuthError, RequestException, OSError)
Answer = TypeVar("Answer")
Arguments = ParamSpec("Arguments")


class StartupError(Exception):
    """The run cannot start; the text is the one line to show. Exit code 1."""


class UncheckedError(Exception):
    """This account has no permission to check; the workers' account may have it."""


def check(config: Config) -> Bounds:
    """Checks the inputs, the topic and the tables.

    Returns:
        The configured bounds of event time by family, within the tables' partition expiration: the
        row of an older event could vanish on arrival.

    Raises:
        StartupError: something is missing, unreachable or not what the pipeline writes to.
    """
    if config.pseudonyms is not None:
        _where_allowed(check_keys, config.pseudonyms)
    if isinstance(config.input, FileInput):
        check_files(config.input.name)
    elif isinstance(config.input, PostgresInput):
        _where_allowed(check_table, config.dataset, runs.ETL_METADATA, runs.COLUMNS)
    else:
        _where_allowed(check_pubsub, "subscription", config.input.name)
    if config.dead_letter_topic is not None:
        _where_allowed(check_pubsub, "topic", config.dead_letter_topic)
    facts = {family.name: _check_facts(config, family) for family in config.families}
    dead_letters = _where_allowed(
        check_table, config.dataset, DEAD_LETTERS, DeadLetterRows().columns
    )
    if any(family.judged_types for family in config.families):
        _check_lateness(config)
    asked = config.asked_bounds
    return {
        name: _bounded_by_expiration(asked[name], filter(None, (table, dead_letters)))
        for name, table in facts.items()
    }


def _check_facts(config: Config, family: EventFamily) -> bigquery.Table | None:
    table = _where_allowed(check_table, config.dataset, family.table, filled(family))
    if config.write_method is WriteMethod.STORAGE_WRITE_API:
        _where_allowed(check_stream, config.dataset, family.table)
    return table


def _check_lateness(config: Config) -> None:
    _where_allowed(check_settings, config.dataset)
    if config.micro_batch is not None:
        check_queries(config.dataset)


def warn_of_private_fields(families: Iterable[EventFamily]) -> None:
    """Logs which fields of these families name or describe persons."""
    paths = [
        f"{family.name}.{path}"
        for family in families
        for path, field in family.contract.walk()
        if field.private or field.has_pseudonym
    ]
    if paths:
        _LOG.warning("personal data is stored as sent, without pseudonyms: %s", ", ".join(paths))


def _where_allowed(
    question: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Answer | None:
    """The result of a check; None, and a warning, if this account has no permission for it."""
    try:
        return question(*args, **kwargs)
    except UncheckedError as error:
        _LOG.warning("%s", error)
        return None


# Each check raises StartupError if the run could not work, and UncheckedError if this account has
# no permission to check.


def check_keys(keys: PseudonymKeys) -> None:
    """Checks that the keys of pseudonyms can be read and are long enough."""
    try:
        keys.read()
    except SecretDeniedError as error:
        raise UncheckedError(str(error)) from None
    except SecretError as error:
        raise StartupError(str(error)) from None


def check_files(pattern: str) -> None:
    """Checks that files match the pattern, and that archives among them are Pub/Sub's."""
    try:
        for path in match(pattern):
            if path.endswith(".avro"):
                check_archive(path)
    except (OSError, ValueError, BeamIOError, fastavro.schema.SchemaParseException) as error:
        raise StartupError(f"--input: {error}") from None


def check_dataset(dataset: Dataset) -> None:
    """Checks that the dataset exists."""

    def get() -> None:
        client = bigquery_client(dataset.project)
        with gateways_answer_as_outage():
            client.get_dataset(str(dataset), retry=_RETRY, timeout=_TIMEOUT_SECONDS)

    missing = f"dataset {dataset} does not exist: {errors.how_to_apply(str(dataset))}"
    _ask(_place("BigQuery", EMULATOR_VARIABLE), get, missing)


def check_table(dataset: Dataset, name: str, needed: Sequence[str]) -> bigquery.Table:
    """Returns the table; checks that it has these columns, and fields of records by their path."""

    def get() -> bigquery.Table:
        client = bigquery_client(dataset.project)
        with gateways_answer_as_outage():
            return client.get_table(dataset.table(name), retry=_RETRY, timeout=_TIMEOUT_SECONDS)

    table = _ask(_place("BigQuery", EMULATOR_VARIABLE), get, _missing(dataset, name))
    lacking = set(needed) - {path for path, _ in walk(table.schema)}
    if lacking:
        names = ", ".join(sorted(lacking))
        hint = errors.how_to_apply(str(dataset), name)
        raise StartupError(f"table {name} lacks {names}: {hint}")
    return table


def check_settings(dataset: Dataset) -> None:
    """Checks that the lateness settings can be read and do not contradict each other."""
    try:
        _ask(
            _place("BigQuery", EMULATOR_VARIABLE),
            lambda: read_table(dataset),
            _missing(dataset, LATENESS_RULES),
        )
    except ValueError as error:
        raise StartupError(f"{error}: load them again with --lateness_settings") from None


def check_stream(dataset: Dataset, table: str) -> None:
    """Checks that the Storage Write API finds the table."""

    def get() -> None:
        with storage_write_client() as client:
            client.get_write_stream(
                name=default_stream(dataset, table), retry=_RETRY, timeout=_TIMEOUT_SECONDS
            )

    service = _place("BigQuery's Storage Write API", STORAGE_EMULATOR_VARIABLE)
    try:
        _ask(service, get, _missing(dataset, table))
    except ValueError as error:
        raise StartupError(f"{error}, or run with --write_method STREAMING_INSERTS") from None


def check_queries(dataset: Dataset) -> None:
    """Checks that this account may run the query by which --micro_batch finds session starts."""
    now = dt.datetime.now(dt.UTC)
    try:
        query_starts(dataset, [], [], now, now, dry_run=True)
    except Forbidden:
        raise StartupError(
            "BigQuery: this account may not run queries, which --micro_batch needs for session "
            f"starts: grant it roles/bigquery.jobUser on {dataset.project}"
        ) from None
    except _AWAY as error:
        raise StartupError(f"BigQuery does not answer a query ({type(error).__name__})") from None


def check_pubsub(kind: str, name: str) -> None:
    """Checks that the ``topic`` or ``subscription`` exists."""

    def get() -> None:
        client = pubsub_v1.PublisherClient() if kind == "topic" else pubsub_v1.SubscriberClient()
        with client:
            getattr(client, f"get_{kind}")(
                request={kind: name}, retry=_RETRY, timeout=_TIMEOUT_SECONDS
            )

    _ask(_place("Pub/Sub", PUBSUB_VARIABLE), get, errors.missing(f"{kind} {name}"))


def _ask(service: str, question: Callable[[], Answer], missing: str) -> Answer:
    try:
        return question()
    except NotFound:
        raise StartupError(missing) from None
    except Forbidden:
        raise UncheckedError(f"{service}: not checked, this account has no permission") from None
    except DefaultCredentialsError as error:
        raise StartupError(f"{service}: {errors.no_credentials(error)}") from None
    except RefreshError as error:
        raise StartupError(f"{service}: {errors.explain(error)}") from None
    except _AWAY as error:
        raise StartupError(f"{service} does not answer ({type(error).__name__})") from None


def _missing(dataset: Dataset, table: str) -> str:
    return errors.missing_table(dataset.table(table), str(dataset))


def _place(service: str, emulator_variable: str) -> str:
    host = os.environ.get(emulator_variable)
    return f"{service} at {emulator_variable}={host}" if host else service


def _bounded_by_expiration(
    bounds: EventTimeBounds, tables: Iterable[bigquery.Table]
) -> EventTimeBounds:
    # A partition is deleted at its midnight plus the expiration: its last event is kept a day less.
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
