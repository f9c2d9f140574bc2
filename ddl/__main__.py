"""``python -m ddl``: the command line of the warehouse's SQL."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from ddl import arguments as command_line
from ddl import files, reporting, statements
from ddl.apply import perform, prepare
from ddl.check import checks, count, show, with_dates
from ddl.plan import DestructiveChangeError, Options
from ddl.render import family as rendering
from ddl.statements import FamilyMissingError
from gcp.clients import EMULATOR_VARIABLE, bigquery_client
from gcp.errors import SERVICE_ERRORS, explain
from schemas.tables import LATENESS_SETTINGS


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 it failed, 2 wrong arguments."""
    args = command_line.parser().parse_args(arguments)
    try:
        return _COMMANDS[args.command](args)
    except DestructiveChangeError as error:
        return _fail(f"refused, nothing was changed: {error}")
    except SERVICE_ERRORS as error:
        return _fail(explain(error))


def _apply(args: argparse.Namespace) -> int:
    _check_options(args)
    options = Options(
        location=args.location,
        partition_expiration_days=args.partition_expiration_days,
        dead_letter_expiration_days=args.dead_letter_expiration_days,
        labels=args.labels,
        policy_tags=args.policy_tags,
        lateness_settings=args.lateness_settings,
        operational_views=args.operational_views,
        older_dataset=args.older_dataset,
    )
    client = bigquery_client(args.dataset.project)
    actions = prepare(client, args.dataset, options, args.event_family)
    for action in actions:
        print(f"would {action.summary}" if args.dry_run else action.summary, flush=True)
        if not args.dry_run:
            perform(client, action)
    print(reporting.changes(actions, dry_run=args.dry_run))
    return 0


def _check_options(args: argparse.Namespace) -> None:
    """Ends the process where options do not fit the families, or the server."""
    try:
        statements.queries(args.dataset, args.event_family)
    except FamilyMissingError as error:
        args.fail(f"--event_family: {error}")
    columns = statements.columns(args.event_family)
    for path in args.policy_tags:
        # A mistyped column would go unprotected.
        if path not in columns:
            args.fail(f"--policy_tags: no table has a column {path}")
        if columns[path].fields:
            args.fail(f"--policy_tags: {path} is a record: name its fields")
    tables = files.find("tables", args.event_family)
    if args.lateness_settings is not None and LATENESS_SETTINGS not in tables:
        args.fail(f"--lateness_settings: these event families have no {LATENESS_SETTINGS}")
    if args.older_dataset is not None:
        if args.older_dataset == args.dataset:
            args.fail("--older_dataset: must be another dataset than --dataset")
        if not files.find("history", args.event_family):
            args.fail("--older_dataset: these event families have no view over an older dataset")
    if args.operational_views and os.environ.get(EMULATOR_VARIABLE):
        args.fail("--operational_views: the emulator has no TABLE_STORAGE and no JOBS")


def _check(args: argparse.Namespace) -> int:
    """Prints each check in a line with its findings below it; with --show one check, in detail."""
    dates = args.start_date, args.end_date
    if args.start_date > args.end_date:
        args.fail("--start_date must not be later than --end_date")
    if args.show and args.show not in files.find("checks", args.event_family):
        family = files.family_of(files.find("checks")[args.show])
        args.fail(f"--show: {args.show} is a check of the event family {family and family.name}")
    client = bigquery_client(args.dataset.project)
    verdicts = []
    for check in checks(args.dataset, args.event_family):
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


def _render(args: argparse.Namespace) -> int:
    """Writes the stale files; with --check only names them, and fails."""
    written_by_hand = [family.name for family in args.event_family if family.written]
    if written_by_hand:
        args.fail(f"the SQL files of {written_by_hand[0]} are written by hand")
    act = rendering.stale if args.check else rendering.write
    try:
        stale = [f"ddl/{path}" for family in args.event_family for path in act(family)]
    except ValueError as error:
        return _fail(str(error))
    for path in stale:
        print(f"{path} is stale: run {rendering.COMMAND}" if args.check else f"wrote {path}")
    if not stale:
        print("nothing to change")
    return 1 if args.check and stale else 0


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "apply": _apply,
    "check": _check,
    "render": _render,
}


if __name__ == "__main__":
    sys.exit(main())
