"""``python -m warehouse``: dimensions, priors of mastery, and stored tables."""

import argparse
import datetime as dt
import sys
from collections.abc import Callable, Mapping, Sequence

from google.cloud import bigquery

from gcp.arguments import SERVICE_ERRORS, explain
from gcp.clients import bigquery_client
from gcp.console import fold, print_table, progress
from gcp.environments import read_environment
from schemas import metrics
from warehouse import alerts, arguments, mastery_priors
from warehouse.errors import RunError, may_pass, reason
from warehouse.metadata import Success
from warehouse.runs import VERIFY_DAYS, Runner, days
from warehouse.script import DateWindow

_DAY = dt.timedelta(days=1)
_LATEST = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 it failed, 2 wrong arguments."""
    args = arguments.parser().parse_args(argv)
    arguments.check(args)
    try:
        if args.command == "load":
            return _load(args)
        with bigquery_client(args.dataset.project) as client:
            if args.command == "fit_mastery_priors":
                return _fit(args, client)
            names, env = getattr(args, "names", []), getattr(args, "env", None)
            runner = Runner(client, args.dataset, names, env)
            if args.command == "run" and not args.start:
                return _watched(args, runner, client)
            return _COMMANDS[args.command](args, runner)
    except RunError as error:
        return _fail(str(error))
    except SERVICE_ERRORS as error:
        return _fail(explain(error))
    except OSError as error:  # a file of settings that cannot be read
        return _fail(str(error))


def _watched(args: argparse.Namespace, runner: Runner, client: bigquery.Client) -> int:
    """A run that a schedule starts: nobody may see how it ends."""
    kind = f"{runner.pipeline}, verification" if args.verify else runner.pipeline
    channels = alerts.channels(read_environment(args.env))
    watch = alerts.Alerts(client, args.dataset, args.env, kind, channels)
    try:
        code = _run(args, runner)
    except (RunError, *SERVICE_ERRORS) as error:
        watch.failed(reason(error), may_pass=may_pass(error))
        raise
    watch.succeeded()
    return code


def _run(args: argparse.Namespace, runner: Runner) -> int:
    if args.start or args.verify:
        return _backfill(args, runner)
    try:
        window = runner.next_window(_overlap(args))
    except (RunError, *SERVICE_ERRORS) as error:
        runner.not_started(error)
        raise
    since = f"{window.start:%Y-%m-%d %H:%M} UTC" if window.start.year > 1 else "the beginning"
    print(f"Taking what came since {since}", flush=True)
    success = runner.run(window)
    if not success.rows_read:
        print("Nothing came in this window")
    print("\n".join(_lines(success.rows_read, success.written)))
    return 0


def _backfill(args: argparse.Namespace, runner: Runner) -> int:
    """One transaction a day, so that an end in between leaves whole days."""
    windows = days(*_dates(args))
    rows_read, written = 0, dict.fromkeys((table.name for table in runner.tables), 0)
    label = "days verified" if args.verify else "days done"
    with progress(label, len(windows)) as show:
        for number, window in enumerate(windows, 1):
            success = _day(runner, window, verify=args.verify)
            rows_read += success.rows_read
            for name, rows in success.written.items():
                written[name] += rows
            show(number)
    print("\n".join(_lines(rows_read, written)))
    if args.verify and any(written.values()):
        print("What differed from the views is mended")
    return 0


def _day(runner: Runner, window: DateWindow, *, verify: bool) -> Success:
    try:
        return runner.run(window)
    except Exception:
        if not verify:
            hint = f"{window.first} and later days are not done: go on with --start {window.first}"
            print(hint, file=sys.stderr)
        raise


def _dates(args: argparse.Namespace) -> tuple[dt.date, dt.date]:
    """The first and the last day, rounded out to UTC days."""
    now = dt.datetime.now(dt.UTC)
    if args.verify:
        return (now - VERIFY_DAYS * _DAY).date(), now.date()
    end = min(args.end or now, now)
    return args.start.date(), (end - dt.timedelta(microseconds=1)).date()


def _status(args: argparse.Namespace, runner: Runner) -> int:
    rows = runner.metadata.latest(_LATEST)
    columns = [
        "started_at",
        "job_name",
        "status",
        "records_processed",
        "rows_written",
        "error_message",
    ]
    alive = {row["job_id"] for row in runner.metadata.running()} if rows else set()
    for row in rows:
        row["started_at"] = f"{row['started_at']:%Y-%m-%d %H:%M:%S}"
        if row["status"] == "running" and row["job_id"] not in alive:
            row["status"] = "ended without a result"
    if rows:
        print_table("The last runs", columns, [[row[name] for name in columns] for row in rows])
    last = runner.metadata.last_success(runner.pipeline)
    if last is None:
        print("No run has succeeded: the next one reads everything")
        return 0
    lag = (dt.datetime.now(dt.UTC) - last.window_end) // dt.timedelta(minutes=1)
    window = runner.next_window(_overlap(args))
    since = f"{window.start:%Y-%m-%d %H:%M} UTC" if window.start.year > 1 else "the beginning"
    print(
        fold(f"The tables are {lag:,} minutes behind; the next run takes what came since {since}")
    )
    return 0


def _show(args: argparse.Namespace, runner: Runner) -> int:
    print(runner.text(runner.next_window(_overlap(args))))
    return 0


def _load(args: argparse.Namespace) -> int:
    # Beam takes seconds to import.
    from warehouse.load import DimensionFile, load

    now = dt.datetime.now(dt.UTC)
    file = DimensionFile(args.file, args.dimension, args.source_mapping, now)
    if left_out := file.check():
        print(f"Left out: {', '.join(sorted(left_out))} (--source_mapping names what is taken)")
    counters = load(file, args.dataset, args.env, args.pseudonyms)
    print(f"{counters.get(metrics.WRITTEN, 0):,} rows of {args.dimension} loaded")
    if failed := counters.get(metrics.DEAD_LETTERS_WRITTEN, 0):
        print(f"{failed:,} rows break the contract: see the table dead_letters", file=sys.stderr)
    return 0


def _fit(args: argparse.Namespace, client: bigquery.Client) -> int:
    found = mastery_priors.fit_priors(client, args.dataset)
    if found is None:
        print("There is no evidence of mastery yet: mastery_settings stays as it is")
        return 0
    contents = len(found.priors.of_contents)
    print(f"{found.evidence:,} pieces of evidence of {contents:,} contents")
    print(
        fold(
            f"Log loss of the next score, on this evidence: {found.loss_before:.3f} with the "
            f"priors that mastery_settings has, {found.loss:.3f} with the fitted ones"
        )
    )
    if args.dry_run:
        print(f"would replace mastery_settings: {contents + 1:,} rows")
        return 0
    rows = mastery_priors.replace_settings(client, args.dataset, found.priors)
    print(f"mastery_settings replaced: {rows:,} rows")
    return 0


def _overlap(args: argparse.Namespace) -> dt.timedelta:
    return dt.timedelta(hours=args.overlap_hours)


def _lines(rows_read: int, written: Mapping[str, int]) -> list[str]:
    width = max(map(len, written))
    return [
        f"{'events read':<{width}}  {rows_read:>10,}",
        *(f"{name:<{width}}  {rows:>10,} written" for name, rows in written.items()),
    ]


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Runner], int]] = {
    "run": _run,
    "status": _status,
    "show": _show,
}


if __name__ == "__main__":
    sys.exit(main())
