"""bqemulator as this project needs it; run as a script, with bqemulator's own arguments."""

import functools
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bqemulator.cli
import duckdb_extensions
import grpc.aio
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.versioning.snapshots import SnapshotManager
from sqlglot.dialects.dialect import Dialect

# An open AppendRows call occupies a thread.
_GRPC_THREADS = 256
_PARSED_STATEMENTS = 256


def main() -> None:
    """Starts it."""
    # It would download DuckDB's spatial extension; the pinned package holds it.
    duckdb_extensions.import_extension("spatial")
    # For time travel it would copy the whole table at every insert: 5 GB for a hundred thousand
    # rows, and no option.
    snapshots: Any = SnapshotManager
    snapshots.capture = lambda *_, **__: None
    engine: Any = DuckDBEngine
    engine.connection = _connection_of_each_thread(engine.connection.fget)
    # Its own pool has four threads more than the machine has processors: with six calls open on two
    # processors, a seventh was never answered.
    pool = ThreadPoolExecutor(_GRPC_THREADS, thread_name_prefix="grpc")
    aio: Any = grpc.aio
    aio.server = functools.partial(aio.server, migration_thread_pool=pool)
    dialect: Any = Dialect
    dialect.parse = _parsed_once(dialect.parse)
    _patch_nested()
    bqemulator.cli.main()


def _patch_nested() -> None:
    # This script is run by its path: that it belongs to a package, it does not know.
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from local_runner.emulators import nested_rows, nested_sql, nested_tables

    for module in (nested_tables, nested_rows, nested_sql):
        module.patch()


def _parsed_once(parse: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Parses a text once: on its way, bqemulator parses a statement up to eighteen times."""

    @functools.lru_cache(_PARSED_STATEMENTS)
    def kept(dialect: type[Dialect], sql: str, options: tuple[Any, ...]) -> list[Any]:
        return parse(dialect(), sql, **dict(options))

    def parsed(dialect: Dialect, sql: str, **options: Any) -> list[Any]:
        if dialect.settings:
            return parse(dialect, sql, **options)
        trees = kept(type(dialect), sql, tuple(options.items()))
        return [tree and tree.copy() for tree in trees]

    return parsed


def _connection_of_each_thread(shared: Callable[[Any], Any]) -> property:
    """DuckDB connections used exclusively.

    bqemulator has a single one. Its REST API runs in one thread and its gRPC in others, and the
    result of a query in one is lost, or replaced, if an append in another interleaves.
    """
    local = threading.local()

    def connection(engine: DuckDBEngine) -> Any:
        if threading.current_thread() is threading.main_thread():
            return shared(engine)
        if not hasattr(local, "connection"):
            local.connection = shared(engine).cursor()
        return local.connection

    return property(connection)


if __name__ == "__main__":
    main()
