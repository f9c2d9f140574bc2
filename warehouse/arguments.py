"""The command line of the runs."""

import argparse
import datetime as dt
import re
from pathlib import Path

from ddl import files
from gcp import arguments
from gcp.environments import environment_name
from pipeline.pseudonym.keys import add_pseudonym_key, pseudonym_keys
from pipeline.sources.postgres.mapping import DIMENSIONS, default_mapping, read_mapping

OVERLAP_HOURS = 3
ENDINGS = (".csv", ".jsonl")
_HOUR = re.compile(r"(\d{4})[:-](\d{2})[:-](\d{2})(?: (\d{2}))?", re.ASCII)


@arguments.checked
def moment(text: str) -> dt.datetime:
    """A date (``2024-06-01``), an hour (``2024:06:01 10``) or an RFC 3339 timestamp, in UTC."""
    found = _HOUR.fullmatch(text)
    try:
        if found:
            year, month, day, hour = (int(part or 0) for part in found.groups())
            return dt.datetime(year, month, day, hour, tzinfo=dt.UTC)
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        value = dt.datetime.min
    if value.tzinfo is None:
        raise ValueError("must be a date, an hour (2024:06:01 10) or an RFC 3339 timestamp")
    return value.astimezone(dt.UTC)


@arguments.checked
def _file(text: str) -> Path:
    path = Path(text)
    if path.suffix not in ENDINGS:
        raise ValueError(f"must end in {' or '.join(ENDINGS)}")
    return path


def parser() -> argparse.ArgumentParser:
    """Parses ``run``, ``status``, ``show``, ``load`` and ``fit_mastery_priors``."""
    whole = arguments.Parser(
        prog="python -m warehouse",
        description="Loads dimensions, fits priors of mastery, and keeps stored tables equal to "
        "their views.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="bring the stored tables up to date")
    show = commands.add_parser("show", help="print the script of the next run")
    status = commands.add_parser("status", help="print the last runs, and what the next one reads")
    load = commands.add_parser("load", help="load rows of a dimension from a file")
    fit = commands.add_parser(
        "fit_mastery_priors", help="replace mastery_settings by priors that fit the evidence"
    )
    fit.add_argument(
        "--dry_run", action="store_true", help="print how well they fit, and change nothing"
    )
    load.add_argument(
        "dimension", metavar="DIMENSION", choices=sorted(DIMENSIONS), help=", ".join(DIMENSIONS)
    )
    load.add_argument("file", metavar="FILE", type=_file, help="a .csv with a header, or .jsonl")
    load.add_argument(
        "--source_mapping",
        type=arguments.checked(read_mapping),
        default=default_mapping(),
        metavar="FILE",
        help="TOML file with the file's own names of columns, as for --input_postgres",
    )
    add_pseudonym_key(load, "replace ids of persons by pseudonyms, as in pipeline.main")
    for command in (run, show, status, load, fit):
        command.add_argument(
            "--dataset", type=arguments.dataset, required=True, metavar="PROJECT.DATASET"
        )
    for command in (run, show):
        command.add_argument(
            "names", nargs="*" if command is run else 1, metavar="NAME", help="a stored table"
        )
    run.add_argument(
        "--start",
        type=moment,
        help="backfill the sessions from this UTC day on, instead of what came since the last run",
    )
    run.add_argument("--end", type=moment, help="end of the backfill, exclusive; now, if left out")
    run.add_argument(
        "--verify",
        action="store_true",
        help="compare the last days with the views, and mend what differs",
    )
    for command in (run, load):
        command.add_argument(
            "--env",
            type=environment_name,
            metavar="NAME",
            help="environment that is logged; run reads its file .env.NAME",
        )
    for command in (run, show, status):
        command.add_argument(
            "--overlap_hours",
            type=arguments.whole_number(0, 8_760),
            default=OVERLAP_HOURS,
            help="take rows again that came so long before the last run (default: 3)",
        )
    whole.set_defaults(fail=whole.error)
    return whole


def check(args: argparse.Namespace) -> None:
    """Ends the process where the arguments do not fit together."""
    stored = sorted(files.find("stored"))
    if unknown := [name for name in getattr(args, "names", []) if name not in stored]:
        args.fail(f"NAME: there is no stored table {unknown[0]}: use {', '.join(stored)}")
    if args.command == "load":
        try:
            args.pseudonyms = pseudonym_keys(args.pseudonym_key)
        except ValueError as error:
            args.fail(str(error))
    if args.command != "run":
        return
    if args.end and not args.start:
        args.fail("--end needs --start")
    if args.verify and args.start:
        args.fail("--verify takes the last days: leave out --start and --end")
    now = dt.datetime.now(dt.UTC)
    if args.start and args.start > now:
        args.fail("--start lies in the future: there is nothing to run")
    if args.start and args.start >= (args.end or now):
        args.fail("--start must lie before --end")
