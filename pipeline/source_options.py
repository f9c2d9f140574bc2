"""The options of ``--input_postgres``."""

import argparse
import datetime as dt
from collections.abc import Sequence
from typing import Any

from gcp import arguments
from gcp.environments import environment_name
from pipeline.pseudonym.keys import pseudonym_keys
from pipeline.sources.postgres import mapping
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.postgres.messages import DIMENSION_CHANGE, EXAM_EVENT, SESSION_CHANGE
from pipeline.sources.postgres.values import window_bound
from schemas.family import EventFamily

PULLED_FAMILIES = (EXAM_EVENT, DIMENSION_CHANGE, SESSION_CHANGE)
"""The names of the event families that a pull makes messages of."""
PULL_OPTIONS = (
    "env",
    "source_mapping",
    "source_time_zone",
    "source_rows_per_range",
    "source_wait_seconds",
    "full",
    "start",
    "end",
)
"""The options that go with ``--input_postgres``."""


def add_pull(parser: argparse.ArgumentParser) -> None:
    """Adds the option and those that go with it."""
    parser.add_argument(
        "--input_postgres",
        action="store_true",
        help="pull the rows that are new or changed from the PostgreSQL that DATABASE_URL names",
    )
    parser.add_argument(
        "--env",
        type=environment_name,
        help="environment whose DATABASE_URL is taken, from the file .env.NAME or else .env",
    )
    parser.add_argument(
        "--source_mapping", help="TOML file with the database's own names of tables and columns"
    )
    parser.add_argument(
        "--source_time_zone",
        type=arguments.checked(mapping.time_zone),
        help="time zone of timestamps without one, such as Europe/Berlin",
    )
    parser.add_argument(
        "--source_rows_per_range",
        type=arguments.whole_number(1, 10_000_000),
        default=50_000,
        help="rows that are read in one go (default: %(default)s)",
    )
    parser.add_argument(
        "--source_wait_seconds",
        type=arguments.number(0, 86_400),
        default=300.0,
        help="how long an unreachable database is waited for, in seconds (default: %(default)s)",
    )
    parser.add_argument(
        "--full", action="store_true", help="read all rows, whatever the last pull has read"
    )
    window = "2024-06-01T10:00:00Z, 2024-06-01, or 2024:06:01 10 for an hour"
    parser.add_argument(
        "--start",
        type=arguments.as_text(_bound),
        help=f"read the events from this time on again: {window}",
    )
    parser.add_argument(
        "--end", type=arguments.as_text(_bound), help="read the events before this time again"
    )


@arguments.checked
def _bound(text: str) -> dt.datetime:
    return window_bound(text, None)


def postgres_input(ours: Any, families: Sequence[EventFamily]) -> PostgresInput:
    """The input that the parsed options name.

    Raises:
        ValueError: they contradict each other, or the mapping's file is wrong.
    """
    names = frozenset(family.name for family in families)
    if others := sorted(names - set(PULLED_FAMILIES)):
        raise ValueError(
            f"--event_family: --input_postgres has no {others[0]}, only "
            f"{', '.join(PULLED_FAMILIES)}"
        )
    zone = ours.source_time_zone
    start, end = (window_bound(text, zone) if text else None for text in (ours.start, ours.end))
    if start and end and start >= end:
        raise ValueError("--start must lie before --end")
    if ours.full and (start or end):
        raise ValueError("--full reads all rows: leave out --start and --end")
    try:
        tables = (
            mapping.read_mapping(ours.source_mapping, zone)
            if ours.source_mapping
            else mapping.default_mapping(zone)
        )
    except ValueError as error:
        raise ValueError(f"--source_mapping: {error}") from None
    keys = pseudonym_keys(ours.pseudonym_key, families)
    return PostgresInput(
        env=ours.env,
        mapping=tables,
        families=names,
        rows_per_range=ours.source_rows_per_range,
        wait_seconds=ours.source_wait_seconds,
        full=ours.full,
        start=start,
        end=end,
        pseudonym_key=None if keys is None else keys.identity_key,
    )
