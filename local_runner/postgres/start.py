"""The operational database of ``up --postgres``."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from gcp.environments import DATABASE_URL, read_environment
from local_runner.environment import OperationalDatabase
from local_runner.errors import RunnerError
from local_runner.postgres.school import App, create_tables, fill
from local_runner.postgres.server import postgres_server

_SEED = 1


@contextlib.contextmanager
def school(
    env: str | None, logs: Path, interval_seconds: float = 1.0
) -> Iterator[OperationalDatabase]:
    """Yields a database with a school's tables and an app that writes to it.

    It is the one that DATABASE_URL names, else a new one.

    Args:
        env: the environment that may have DATABASE_URL, see ``read_environment``.
        logs: folder for the log of a new one.
        interval_seconds: between two transactions of the app.

    Raises:
        RunnerError: the one that is named does not answer or has tables of others, or no new one
            can be started.
    """
    with contextlib.ExitStack() as stack:
        url = read_environment(env).get(DATABASE_URL)
        variables = {}
        if url is None:
            url = stack.enter_context(postgres_server(logs)).url()
            variables = {DATABASE_URL: url}
        url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        place = _place(url)
        try:
            if create_tables(url):
                with psycopg.connect(url) as connection:
                    fill(connection, _SEED)
        except psycopg.Error as error:
            said = error.diag.message_primary or type(error).__name__
            raise RunnerError(
                f"the tables cannot be created in {place} ({said}): name an empty database"
            ) from None
        app = stack.enter_context(App(url, interval_seconds).running())
        options = ("--env", env) if env is not None else ()
        yield OperationalDatabase(place, variables, options, app.check)


def _place(url: str) -> str:
    """HOST:PORT/DATABASE of a database that answers."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
        named = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise RunnerError(
            f"the database that {DATABASE_URL} names does not answer ({type(error).__name__}): "
            f"start it or unset {DATABASE_URL}"
        ) from None
    return f"{named.get('host', 'socket')}:{named.get('port', 5432)}/{named.get('dbname', '')}"
