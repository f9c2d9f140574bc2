"""Publishes the changes of a PostgreSQL: ``python -m pipeline.capture --help``."""

import argparse
import logging
import os
import sys
import threading
from collections.abc import Sequence

from gcp import arguments
from gcp.environments import environment_name
from pipeline.pseudonym.keys import add_pseudonym_key, pseudonym_keys
from pipeline.sources.postgres.mapping import default_mapping, read_mapping, time_zone
from pipeline.sources.postgres.messages import DIMENSION_CHANGE, EXAM_EVENT, SESSION_CHANGE
from pipeline.stop_signals import on_stop_signal
from schemas.families import DEFAULT_FAMILY

_LOG = logging.getLogger("pipeline.capture")
_FAMILIES = (EXAM_EVENT, DIMENSION_CHANGE, SESSION_CHANGE)
# Nothing is lost by ending in the midst of a request, so none is waited for longer.
_STOP_SECONDS = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until a signal; the exit code is 0 stopped by one, 1 it failed."""
    args = _parse(argv)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("pipeline").setLevel(logging.INFO)
    try:
        from pipeline.capture import command
    except ModuleNotFoundError as missing:
        print(
            f"error: a capture needs the package {missing.name}: install the extras micro-batch "
            "and postgres",
            file=sys.stderr,
        )
        return 1
    stop = threading.Event()
    on_stop_signal(lambda: _stop(stop), "the running batch")
    fault = command.run(args, stop)
    if fault is not None:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    _LOG.info("stopped")
    return 0


def _stop(stop: threading.Event) -> None:
    stop.set()
    ends = threading.Timer(_STOP_SECONDS, lambda: os._exit(0))
    ends.daemon = True
    ends.start()


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m pipeline.capture",
        description="Publishes each change of an operational PostgreSQL (DATABASE_URL) until it is "
        "stopped. It may be killed: the replication slot keeps what Pub/Sub does not have.",
    )
    parser.add_argument(
        "--env",
        type=environment_name,
        metavar="NAME",
        help="take DATABASE_URL from the file .env.NAME (default: .env)",
    )
    parser.add_argument(
        "--topic", required=True, type=arguments.topic, help="the topic that the pipeline reads"
    )
    parser.add_argument(
        "--event_family",
        type=arguments.families,
        default=(DEFAULT_FAMILY,),
        metavar="NAME,...",
        help="the kinds of events to publish, those that the pipeline reads "
        f"(default: {DEFAULT_FAMILY.name})",
    )
    for option, what in (("slot", "replication slot"), ("publication", "publication")):
        parser.add_argument(
            f"--{option}",
            default="exam_events",
            type=_database_name,
            metavar="NAME",
            help=f"the {what}; made where neither it nor the other exists (default: %(default)s)",
        )
    parser.add_argument(
        "--poll_seconds",
        type=arguments.number(0.05, 3_600),
        default=1.0,
        help="pause after everything is published (default: %(default)s)",
    )
    parser.add_argument(
        "--max_slot_lag_bytes",
        type=arguments.whole_number(1),
        default=1_000_000_000,
        metavar="N",
        help="/healthz fails where the slot makes the server keep more WAL (default: %(default)s)",
    )
    parser.add_argument(
        "--metrics_port",
        type=arguments.whole_number(0, 65_535),
        metavar="PORT",
        help="port of /metrics and /healthz (default: none)",
    )
    parser.add_argument(
        "--source_mapping", metavar="FILE", help="TOML file with the names of tables and columns"
    )
    parser.add_argument(
        "--source_time_zone",
        type=arguments.checked(time_zone),
        metavar="ZONE",
        help="of timestamps without a time zone, such as Europe/Berlin",
    )
    add_pseudonym_key(
        parser,
        "make ids of events under the key of the run that reads the topic (its first, after a "
        "rotation), so that no id of a person can be guessed from them; see pipeline.main",
    )
    args = parser.parse_args(argv)
    for family in args.event_family:
        if family.name not in _FAMILIES:
            parser.error(
                f"--event_family: a capture has no {family.name}, only {', '.join(_FAMILIES)}"
            )
    try:
        args.pseudonym_key = pseudonym_keys(args.pseudonym_key)
    except ValueError as error:
        parser.error(str(error))
    try:
        if args.source_mapping is None:
            args.source_mapping = default_mapping(args.source_time_zone)
        else:
            args.source_mapping = read_mapping(args.source_mapping, args.source_time_zone)
    except ValueError as error:
        parser.error(f"--source_mapping: {error}")
    return args


@arguments.checked
def _database_name(text: str) -> str:
    """The name of a slot or publication."""
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789_")
    if not 0 < len(text) < 64 or not set(text) <= allowed:
        raise ValueError("must be 1 to 63 lower-case letters, digits and underscores")
    return text


if __name__ == "__main__":
    sys.exit(main())
