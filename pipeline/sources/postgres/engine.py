"""Connections to the operational database: SQLAlchemy with psycopg 3."""

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psycopg
import sqlalchemy
from psycopg.pq import PGconn, Ping
from psycopg.types.string import TextLoader
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool, Pool

from gcp.environments import DATABASE_URL, read_environment
from pipeline.sources.postgres.input import SourceError

_LOG = logging.getLogger(__name__)
_CONNECT_SECONDS = 10
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0
# The text of a value must not depend on who reads it; SET works behind a connection pooler too,
# which options of the connection do not.
_FIXED = (
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'iso_8601'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    # What follows may be slow to take the rows of a cursor.
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
_BLANK_PADDED = psycopg.adapters.types["bpchar"].oid

Reply = TypeVar("Reply")


class _Unpadded(TextLoader):
    """CHARACTER(n) without the blanks that fill it up and mean nothing."""

    def load(self, data: psycopg.abc.Buffer) -> str | bytes:
        return super().load(data).rstrip(" ")  # type: ignore[arg-type]


def get_engine(env: str | None, pool: type[Pool] = NullPool) -> Engine:
    """An engine for the database that DATABASE_URL names in an environment.

    Args:
        env: the environment, or None for the one without a name.
        pool: keeps connections, or not: each range of a pull is read by one of its own.

    Raises:
        SourceError: there is no such variable, it is no URL of a PostgreSQL, or the file of the
            environment cannot be read.
    """
    try:
        settings = read_environment(env)
    except OSError as error:
        raise SourceError(str(error)) from None
    written = settings.get(DATABASE_URL)
    if written is None:
        raise SourceError(settings.how_to_set(DATABASE_URL))
    return sqlalchemy.create_engine(
        _url(written),
        poolclass=pool,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "client_encoding": "utf8",
            "application_name": "exam-events",
            # A pooler may give each transaction another connection.
            "prepare_threshold": None,
        },
    )


def _url(written: str) -> URL:
    with contextlib.suppress(ArgumentError, ValueError):
        url = make_url(written)
        if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
            return url.set(drivername="postgresql+psycopg")
    raise SourceError(f"{DATABASE_URL} must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE")


@contextlib.contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one snapshot and writes nothing, with fixed forms of values."""
    with engine.connect() as connection:
        connection = connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        for setting in _FIXED:
            connection.exec_driver_sql(setting)
        yield connection


def text_cursor(connection: Connection, name: str | None = None) -> psycopg.Cursor[tuple[str, ...]]:
    """A cursor that gives every value as PostgreSQL writes it, and null as None.

    Args:
        connection: of ``snapshot``.
        name: of a cursor on the server; None fetches all rows at once.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - as get_engine names the driver
    cursor = driver.cursor(name) if name else driver.cursor()
    for known in psycopg.adapters.types:
        for oid in filter(None, (known.oid, known.array_oid)):
            cursor.adapters.register_loader(oid, TextLoader)
    cursor.adapters.register_loader(_BLANK_PADDED, _Unpadded)
    return cursor


def wait_for_database(engine: Engine, wait_seconds: float, call: Callable[[], Reply]) -> Reply:
    """Calls a function that reads; again while the database is unreachable, with pauses.

    Raises:
        SourceError: it stays unreachable, or refuses the connection or the query.
    """
    began, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
    while True:
        try:
            return call()
        except (psycopg.Error, DBAPIError) as error:
            if not is_unreachable(engine, error):
                raise SourceError(explain(error)) from None
            left = began + wait_seconds - time.monotonic()
            if left <= 0:
                raise SourceError(
                    f"{place(engine)} did not answer for {wait_seconds:g} s: {explain(error)}"
                ) from None
        _LOG.warning("%s does not answer: waiting", place(engine))
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def is_unreachable(engine: Engine, error: Exception) -> bool:
    """Whether the database is down, starting or restarting, rather than unwilling."""
    cause = _cause(error)
    if not isinstance(cause, psycopg.OperationalError):
        return False
    if cause.sqlstate is not None:
        # Connection exceptions, too many connections, and shutting down or starting.
        return cause.sqlstate[:2] == "08" or cause.sqlstate in ("53300", *_RESTARTING)
    # A refused login has no code either, but then the server answers.
    refused = "FATAL" in str(cause) and _ping(engine) == Ping.OK
    return not refused or "too many clients" in str(cause)


_RESTARTING = ("57P01", "57P02", "57P03", "57P05")


def is_recovery_conflict(error: Exception) -> bool:
    """Whether a standby cancelled the query, since its primary removed rows that it reads."""
    return isinstance(_cause(error), psycopg.errors.SerializationFailure)


def explain(error: Exception) -> str:
    """The one-line message of a database error, without values of rows."""
    cause = _cause(error)
    text = (cause.diag.message_primary if isinstance(cause, psycopg.Error) else None) or str(cause)
    line = text.strip().partition("\n")[0]
    return re.sub(r"^.*?\b(?:FATAL|ERROR):\s+", "", line)


def place(engine: Engine) -> str:
    """The database, without user and password."""
    url = engine.url
    return f"PostgreSQL at {url.host or 'its socket'}:{url.port or 5432}, {url.database}"


def _cause(error: Exception) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


def _ping(engine: Engine) -> Ping:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Ping(PGconn.ping(url.encode()))
