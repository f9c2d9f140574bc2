"""``python -m ddl``: the command line of the warehouse's SQL."""

import argparse
import datetime as dt
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ddl import reporting, settings
from ddl.apply import perform, prepare
from ddl.check import checks, count, show, with_dates
from ddl.plan import DestructiveChangeError, Options
from ddl.statements import CHECKS, columns
from gcp.arguments import SERVICE_ERRORS, Parser, dataset, explain
from gcp.clients import bigquery_client
from schemas.dates import EARLIEST_DATE, FIRST_POSSIBLE_DATE, LAST_POSSIBLE_DATE, LATEST_DATE
from schemas.lateness import SettingsRow
from schemas.tables import DEAD_LETTERS, EVENTS_FACT, LATENESS_SETTINGS

_POLICY_TAG = re.compile(r"(\w+)=(projects/[^/,]+/locations/[^/,]+/taxonomies/\d+/policyTags/\d+)")
_LABEL = re.compile(r"([a-z][a-z0-9_-]{0,62})=([a-z0-9_-]{0,63})", re.ASCII)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 it failed, 2 wrong arguments."""
    args = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except DestructiveChangeError as error:
        return _fail(f"refused, nothing was changed: {error}")
    except SERVICE_ERRORS as error:
        return _fail(explain(error))


def _apply(args: argparse.Namespace) -> int:
    options = Options(
        args.location,
        args.partition_expiration_days,
        args.labels,
        args.policy_tags,
        args.lateness_settings,
    )
    client = bigquery_client(args.dataset.project)
    actions = prepare(client, args.dataset, options)
    for action in actions:
        print(f"would {action.summary}" if args.dry_run else action.summary, flush=True)
        if not args.dry_run:
            perform(client, action)
    print(reporting.changes(actions, dry_run=args.dry_run))
    return 0


def _check(args: argparse.Namespace) -> int:
    """Prints each check in a line with its findings below it; with --show one check, in detail."""
    dates = args.start_date, args.end_date
    if args.start_date > args.end_date:
        args.fail("--start_date must not be later than --end_date")
    client = bigquery_client(args.dataset.project)
    verdicts = []
    for check in checks(args.dataset):
        if args.show not in (None, check.name):
            continue
        found = count(client, check, *dates)
        verdicts.append(reporting.verdict(check, found))
        print(*reporting.findings(check, found), sep="\n", flush=True)
        if args.show:
            rows, sql = show(client, check, *dates), with_dates(check, *dates)
            print(*reporting.rows_behind(rows, sql, check.rows(found)), sep="\n")
    print(reporting.outcome(verdicts))
    return 1 if "fail" in verdicts else 0


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m ddl", description="The warehouse's tables, functions, views and checks."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    place = Parser(add_help=False)
    place.add_argument("--dataset", required=True, type=dataset, metavar="PROJECT.DATASET")
    apply = commands.add_parser(
        "apply", parents=[place], help="create or update them; never drops or rewrites anything"
    )
    apply.set_defaults(command=_apply)
    apply.add_argument("--dry_run", action="store_true", help="show what would be done, do nothing")
    apply.add_argument("--location", help="where to create the dataset, such as EU")
    apply.add_argument(
        "--partition_expiration_days",
        type=_days,
        metavar="N",
        help=f"delete partitions of {EVENTS_FACT} and {DEAD_LETTERS} after N days",
    )
    apply.add_argument(
        "--labels", type=_labels, default={}, metavar="K=V,K=V", help="labels of the tables"
    )
    apply.add_argument(
        "--policy_tags",
        type=_policy_tags,
        default={},
        metavar="COLUMN=TAG,...",
        help="BigQuery policy tags of columns, in every table that has them",
    )
    apply.add_argument(
        "--lateness_settings",
        type=_settings,
        metavar="FILE.csv",
        help=f"replace the rows of {LATENESS_SETTINGS} ({','.join(settings.COLUMNS)})",
    )
    check = commands.add_parser(
        "check",
        parents=[place],
        help="look for what should not be there; exit code 1 where a check fails",
    )
    check.set_defaults(command=_check, fail=check.error)
    check.add_argument(
        "--start_date",
        type=_date,
        default=EARLIEST_DATE,
        metavar="YYYY-MM-DD",
        help="first event date to look at (UTC; default: all)",
    )
    check.add_argument(
        "--end_date", type=_date, default=LATEST_DATE, metavar="YYYY-MM-DD", help="last event date"
    )
    check.add_argument(
        "--show",
        choices=CHECKS,
        metavar="NAME",
        help="run this check only, and print its SQL and the rows behind its findings",
    )
    return parser


def _date(text: str) -> dt.date:
    try:
        date = dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError("must be a date, YYYY-MM-DD") from None
    if not FIRST_POSSIBLE_DATE <= date <= LAST_POSSIBLE_DATE:
        raise argparse.ArgumentTypeError(
            f"must be from {FIRST_POSSIBLE_DATE} to {LAST_POSSIBLE_DATE}"
        )
    return date


def _settings(text: str) -> list[SettingsRow]:
    try:
        return settings.read(Path(text))
    except settings.SettingsFileError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _days(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError("must be a number of days, 1 or more")
    return int(text)


def _labels(text: str) -> dict[str, str]:
    labels = [_LABEL.fullmatch(pair) for pair in text.split(",")]
    if not all(labels):
        raise argparse.ArgumentTypeError(
            "must be KEY=VALUE,KEY=VALUE in lower-case letters, digits, hyphens and underscores"
        )
    return {label[1]: label[2] for label in labels if label}


def _policy_tags(text: str) -> dict[str, str]:
    tags = [_POLICY_TAG.fullmatch(pair) for pair in text.split(",")]
    if not all(tags):
        raise argparse.ArgumentTypeError(
            "must be COLUMN=projects/.../locations/.../taxonomies/NUMBER/policyTags/NUMBER,..."
        )
    found = {tag[1]: tag[2] for tag in tags if tag}
    # A mistyped column would go unprotected.
    if unknown := found.keys() - columns():
        raise argparse.ArgumentTypeError(f"no table has a column {', '.join(sorted(unknown))}")
    return found


if __name__ == "__main__":
    sys.exit(main())
