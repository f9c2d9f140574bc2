"""Sends dead letters back to the main topic: ``python -m pipeline.replay --help``."""

import argparse
import collections
import contextlib
import datetime as dt
import signal
import sys
from collections.abc import Iterator, Sequence

from google.api_core.exceptions import PermissionDenied
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from gcp import arguments
from gcp.clients import bigquery_client
from gcp.console import progress
from gcp.errors import SERVICE_ERRORS, about, explain
from pipeline.replay.candidate_sources import (
    CandidateSource,
    SubscriptionCandidates,
    TableCandidates,
)
from pipeline.replay.candidates import Outcome, ReplayPolicy, Selection
from pipeline.replay.sending import Examples, Tally, replay, to_topic
from schemas.errors import ErrorKind
from transforms.fixes import FIXES

# Replaying an event that reports a failure of the app produces the same dead letter again.
_DEFAULT_KINDS = frozenset(ErrorKind) - {ErrorKind.STORE_ERROR}


class _LoopError(Exception):
    """--topic is the topic that the dead letters come from."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is 0 done, 1 it failed or was interrupted."""
    args = _parse(argv)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background process ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    tally: Tally = collections.Counter()
    resume, fault = "run it again", None
    try:
        with _source(args) as source:
            try:
                _replay(source, args, tally)
            finally:
                resume = source.resume
    except KeyboardInterrupt:
        fault = f"interrupted: {resume}"
    except _LoopError as error:
        fault = str(error)
    except SERVICE_ERRORS as error:
        sent = any(outcome is Outcome.REPLAYED for _, outcome in tally)
        fault = f"{explain(error)}: {resume}" if sent else explain(error)
    if tally or fault is None:
        print("\n".join(lines(tally, dry_run=args.dry_run)))
    if fault is None and any(outcome is Outcome.REJECTED for _, outcome in tally):
        fault = "Pub/Sub rejected some of them"
    if fault is not None:
        print(f"error: {fault}", file=sys.stderr)
    return 0 if fault is None else 1


@contextlib.contextmanager
def _source(args: argparse.Namespace) -> Iterator[CandidateSource]:
    if args.dataset is not None:
        with bigquery_client(args.dataset.project) as client:
            yield TableCandidates(client, args.dataset, args.event_family, args.selection)
        return
    name = f"subscription {args.dead_letter_subscription}"
    with SubscriberClient() as subscriber, about(name):
        with contextlib.suppress(PermissionDenied):  # then it cannot be checked
            found = subscriber.get_subscription(subscription=args.dead_letter_subscription)
            if found.topic == args.topic:
                raise _LoopError("--topic is the dead-letter topic itself")
        with SubscriptionCandidates(subscriber, args.dead_letter_subscription) as letters:
            yield letters


def _replay(source: CandidateSource, args: argparse.Namespace, tally: Tally) -> None:
    fix = FIXES.get(args.fix)
    rules = ReplayPolicy(args.event_family, args.selection, fix, args.max_replays)
    if args.dry_run:
        examples = Examples(args.event_family)
        replay(source, rules, lambda _: set(), tally, acknowledge=False, show=examples.show)
        print("\n".join(f"for instance {line}" for line in examples.lines))
        return
    with PublisherClient() as client, progress("Dead letters", source.total) as advance:
        send = about(f"topic {args.topic}")(to_topic(client, args.topic))
        replay(source, rules, send, tally, advance)


def lines(tally: Tally, *, dry_run: bool) -> list[str]:
    """One line per error kind and outcome, with its number."""
    if not tally:
        return ["no dead letters"]
    return [
        f"{kind:<24}{'would be ' * (dry_run and outcome is Outcome.REPLAYED) + outcome:<28}"
        f"{number:>10,}"
        for (kind, outcome), number in sorted(tally.items())
    ]


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m pipeline.replay",
        description="Sends dead letters back to the main topic. Exit code 1 where it fails or is "
        "interrupted; it can be run again: what is written twice is read once.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--dead_letter_subscription",
        type=arguments.subscription,
        metavar="projects/P/subscriptions/S",
        help="replay dead letters from this subscription, and acknowledge what was replayed",
    )
    source.add_argument(
        "--dataset",
        type=arguments.dataset,
        metavar="PROJECT.DATASET",
        help="replay dead letters from the table dead_letters, which is not changed",
    )
    parser.add_argument(
        "--topic", required=True, type=arguments.topic, help="the topic that the pipeline reads"
    )
    parser.add_argument(
        "--kind",
        action="append",
        choices=[str(kind) for kind in ErrorKind],
        help="error kind to replay, can be repeated (default: all but store_error)",
    )
    parser.add_argument(
        "--start", type=arguments.moment, help="first failed_at to replay, RFC 3339"
    )
    parser.add_argument("--end", type=arguments.moment, help="replay what failed before, RFC 3339")
    parser.add_argument("--test", metavar="TEST_ID", help="replay messages of this test only")
    parser.add_argument(
        "--ids",
        type=arguments.ids,
        metavar="FILE",
        help="replay only these messages or events, one id per line",
    )
    parser.add_argument(
        "--fix", choices=sorted(FIXES), help="fix to apply; what it does not change stays"
    )
    parser.add_argument(
        "--max_replays",
        type=arguments.whole_number(1),
        default=3,
        metavar="N",
        help="skip what has been replayed this often (default: %(default)s)",
    )
    arguments.add_event_family(
        parser, "the kinds of events whose dead letters to replay, beside those of no family"
    )
    parser.add_argument(
        "--dry_run", action="store_true", help="count and show examples, send nothing"
    )
    args = parser.parse_window(argv)
    args.selection = Selection(
        kinds=frozenset(args.kind or map(str, _DEFAULT_KINDS)),
        start=args.start or dt.datetime.min.replace(tzinfo=dt.UTC),
        end=args.end or dt.datetime.max.replace(tzinfo=dt.UTC),
        test=args.test,
        ids=args.ids,
    )
    return args


if __name__ == "__main__":
    sys.exit(main())
