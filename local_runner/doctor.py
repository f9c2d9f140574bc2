"""Checks what a run needs: ``exam-events doctor --help``."""

import argparse
import collections
import dataclasses
import importlib.metadata
import os
import platform
import shutil
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import google.auth
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from packaging.specifiers import SpecifierSet

from gcp import arguments
from gcp.clients import EMULATOR_VARIABLE, PUBSUB_VARIABLE, STORAGE_EMULATOR_VARIABLE
from gcp.dataset import Dataset
from gcp.errors import SERVICE_ERRORS, explain, no_credentials
from local_runner.emulators.start import (
    EmulatorMissingError,
    check_emulator,
    find_java,
    find_pubsub_jar,
)
from local_runner.errors import EmulatorError
from pipeline import preflight
from pipeline.preflight import StartupError, UncheckedError
from schemas.family import EventFamily
from schemas.tables import DEAD_LETTERS, LATENESS_RULES
from transforms.dead_letters import DeadLetterRows
from transforms.rows import filled

Verdict = Literal["ok", "warn", "fail"]
_VERDICTS: tuple[Verdict, ...] = ("ok", "warn", "fail")
_TIMEOUT_SECONDS = 5.0
# The permission that a run needs on it, and the role that has it.
_PERMISSIONS = {
    "subscription": ("pubsub.subscriptions.consume", "roles/pubsub.subscriber"),
    "topic": ("pubsub.topics.publish", "roles/pubsub.publisher"),
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        verdict: ``fail`` if it would stop a run, ``warn`` if it may.
        subject: what was checked.
        text: what was found, and what to do about it.
    """

    verdict: Verdict
    subject: str
    text: str

    def lines(self, width: int) -> list[str]:
        """One line; if it is too wide, indented lines below it."""
        return textwrap.wrap(
            self.text,
            width,
            initial_indent=f"{self.verdict:<6}{f'{self.subject} ':<20}",
            subsequent_indent=" " * 8,
            break_long_words=False,
            break_on_hyphens=False,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Prints each finding; the exit code is 1 if something would stop a run."""
    args = _parse(argv)
    width = shutil.get_terminal_size().columns
    counts = collections.Counter[Verdict]()
    resources = args.dataset, args.input_subscription, args.dead_letter_topic
    for finding in examine(*resources, args.event_family):
        counts[finding.verdict] += 1
        print("\n".join(finding.lines(width)), flush=True)
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS))
    return 1 if counts["fail"] else 0


def examine(
    dataset: Dataset | None,
    subscription: str | None,
    topic: str | None,
    families: Sequence[EventFamily],
) -> Iterator[Finding]:
    """Checks this machine and the given resources; skips those of an unreachable service.

    Args:
        dataset: where the tables of ``families`` are; None skips them.
        subscription: the one to read; None skips it.
        topic: that of the dead letters; None skips it.
        families: the event families of the run.
    """
    yield _look("Python", _python)
    yield _look("Java", find_java)
    yield _look("Pub/Sub emulator", lambda: find_pubsub_jar().name)
    bigquery = _look("BigQuery", lambda: _service(EMULATOR_VARIABLE, dataset is not None))
    yield bigquery
    if os.environ.get(EMULATOR_VARIABLE) or os.environ.get(STORAGE_EMULATOR_VARIABLE):
        yield _look("Storage Write API", _storage_emulator)
    named = {"subscription": subscription, "topic": topic}
    pubsub = _look("Pub/Sub", lambda: _service(PUBSUB_VARIABLE, any(named.values())))
    yield pubsub
    if dataset is not None and bigquery.verdict == "ok":
        yield from _warehouse(dataset, families)
    for kind, name in named.items():
        if name is not None and pubsub.verdict == "ok":
            yield from _resource(kind, name)


class _WarnError(Exception):
    """Checks what stops some runs, and not others."""


def _look(subject: str, question: Callable[[], str]) -> Finding:
    try:
        return Finding("ok", subject, question())
    except (_WarnError, EmulatorMissingError, UncheckedError) as error:
        return Finding("warn", subject, str(error))
    except (StartupError, EmulatorError) as error:
        return Finding("fail", subject, str(error).removeprefix(f"{subject} "))


def _python() -> str:
    version = platform.python_version()
    needed = importlib.metadata.metadata(arguments.PROGRAM)["Requires-Python"]
    if not SpecifierSet(needed).contains(version):
        raise StartupError(f"{version}: install one that is {needed}")
    return version


def _service(variable: str, is_needed: bool) -> str:
    """How a service is reached: its emulator, which must answer, or the credentials."""
    if host := os.environ.get(variable):
        check_emulator(variable, host)
        return f"{host} ({variable})"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of users without a quota project
            credentials, _ = google.auth.default()
    except DefaultCredentialsError as error:
        raise (StartupError if is_needed else _WarnError)(no_credentials(error)) from None
    account = getattr(credentials, "service_account_email", None)
    return f"credentials of {account}" if account else "credentials of a user"


def _storage_emulator() -> str:
    host = os.environ.get(STORAGE_EMULATOR_VARIABLE)
    if not host:
        raise _WarnError(
            f"set {STORAGE_EMULATOR_VARIABLE} too, to HOST:PORT of the emulator's gRPC, or run "
            "with --write_method STREAMING_INSERTS"
        )
    check_emulator(STORAGE_EMULATOR_VARIABLE, host)
    return f"{host} ({STORAGE_EMULATOR_VARIABLE})"


def _warehouse(dataset: Dataset, families: Sequence[EventFamily]) -> Iterator[Finding]:
    found = _asked("dataset", str(dataset), preflight.check_dataset, dataset)
    yield found
    if found.verdict == "fail":
        return
    has_all = "has every column that the pipeline fills"
    check, failed = preflight.check_table, set()
    for family in families:
        facts = _asked(family.table, has_all, check, dataset, family.table, filled(family))
        yield facts
        if facts.verdict == "fail":
            failed.add(family.table)
    letters = DeadLetterRows().columns
    yield _asked(DEAD_LETTERS, has_all, check, dataset, DEAD_LETTERS, letters)
    judged = {family.table for family in families if family.judged_types}
    if judged:
        yield _asked(LATENESS_RULES, "can be read", preflight.check_settings, dataset)
    streams = [family.table for family in families if family.table not in failed]
    if streams:
        yield _asked("write stream", "open", _check_streams, dataset, streams)
    if judged - failed:
        yield _look("queries", lambda: _queries(dataset))


def _check_streams(dataset: Dataset, tables: Sequence[str]) -> None:
    for table in tables:
        preflight.check_stream(dataset, table)


def _queries(dataset: Dataset) -> str:
    try:
        preflight.check_queries(dataset)
    except StartupError as error:  # which stops --micro_batch alone
        raise UncheckedError(str(error)) from None
    return "allowed"


def _resource(kind: str, name: str) -> Iterator[Finding]:
    found = _asked(kind, name, preflight.check_pubsub, kind, name)
    yield found
    if found.verdict != "fail" and not os.environ.get(PUBSUB_VARIABLE):  # which has no permissions
        yield _look(f"{kind} access", lambda: _permitted(kind, name))


def _permitted(kind: str, name: str) -> str:
    permission, role = _PERMISSIONS[kind]
    request = {"resource": name, "permissions": [permission]}
    try:
        with PublisherClient() if kind == "topic" else SubscriberClient() as client:
            reply = client.test_iam_permissions(request=request, timeout=_TIMEOUT_SECONDS)
    except SERVICE_ERRORS as error:
        raise UncheckedError(f"not checked: {explain(error)}") from None
    if permission not in reply.permissions:
        raise StartupError(f"this account lacks {permission}: grant it {role}")
    return permission


def _asked(subject: str, answer: str, question: Callable[..., Any], *args: Any) -> Finding:
    """Runs one of preflight's checks; ``answer`` is the text if it passes."""

    def ask() -> str:
        question(*args)
        return answer

    return _look(subject, ask)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m local_runner.doctor",
        description="Checks this machine, and the resources that are given, line by line. Exit "
        "code 1 where something would stop a run.",
    )
    parser.add_argument("--dataset", type=arguments.dataset, metavar="PROJECT.DATASET")
    parser.add_argument(
        "--input_subscription",
        type=arguments.subscription,
        metavar="projects/P/subscriptions/S",
        help="the subscription to read",
    )
    parser.add_argument(
        "--dead_letter_topic",
        type=arguments.topic,
        metavar="projects/P/topics/T",
        help="the topic for dead letters",
    )
    arguments.add_event_family(parser, "the kinds of events whose tables to check")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
