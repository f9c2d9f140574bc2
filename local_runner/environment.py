"""The environment of one run: emulators, tables, topics, and a folder for its logs."""

import contextlib
import dataclasses
import datetime as dt
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from google.cloud import bigquery
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from ddl.apply import apply
from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from local_runner.emulators.ports import Ports
from local_runner.emulators.start import (
    LOGS,
    PROJECT,
    EmulatorMissingError,
    bigquery_emulator,
    pubsub_emulator,
)
from local_runner.report.counts import message_ids
from local_runner.traffic.publishing import publish
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily

_ACK_DEADLINE_SECONDS = 600
_KEPT_LOGS = 10
_RUN = re.compile(r"(bench_)?\d{8}_\d{6}(-\d+)?")
# The run name of a run that keeps its tables, so that the next one finds them.
_KEPT_DATASET = "exams"

# Ids of Pub/Sub itself, which an archive may bring, have fifteen digits and more.
_LAST_MESSAGE_ID = """
SELECT MAX(SAFE_CAST(message_id AS INT64)) FROM ({message_ids}) WHERE LENGTH(message_id) < 10"""


@dataclasses.dataclass(frozen=True)
class PubSubNames:
    """Full names of the topics and subscriptions of one run."""

    topic: str
    subscription: str
    dead_letter_topic: str
    dead_letter_subscription: str

    @classmethod
    def of(cls, run: str) -> "PubSubNames":
        """The names for a run."""
        topics, subscriptions = f"projects/{PROJECT}/topics", f"projects/{PROJECT}/subscriptions"
        events, dead = f"exam-events-{run}", f"exam-events-dead-{run}"
        return cls(
            f"{topics}/{events}",
            f"{subscriptions}/{events}",
            f"{topics}/{dead}",
            f"{subscriptions}/{dead}",
        )

    def create(self) -> None:
        """Creates them on the Pub/Sub that the environment names."""
        with PublisherClient() as publisher, SubscriberClient() as subscriber:
            for topic, subscription in (
                (self.topic, self.subscription),
                (self.dead_letter_topic, self.dead_letter_subscription),
            ):
                publisher.create_topic(name=topic)
                subscriber.create_subscription(
                    name=subscription, topic=topic, ack_deadline_seconds=_ACK_DEADLINE_SECONDS
                )


@dataclasses.dataclass(frozen=True)
class Environment:
    """Everything that the pipeline needs to run.

    Attributes:
        dataset: has all tables and views.
        variables: they point clients at the emulators; set in this process too.
        logs: folder of this run, with the emulators' logs.
        pubsub: None where there is no Pub/Sub emulator.
        pubsub_missing: then, one line that says how to get it.
    """

    dataset: Dataset
    variables: dict[str, str]
    logs: Path
    pubsub: PubSubNames | None = None
    pubsub_missing: str | None = None


@dataclasses.dataclass(frozen=True)
class OperationalDatabase:
    """A PostgreSQL that an app writes to while the run lasts.

    Attributes:
        place: without user and password.
        variables: they name a new one; empty where the user's own settings name it.
        pull_options: with which the pipeline finds it, beside the variables.
        check: raises RunnerError if the app has died.
    """

    place: str
    variables: dict[str, str]
    pull_options: tuple[str, ...]
    check: Callable[[], None]


def run_name() -> str:
    """The current second: separates runs on emulators that keep running."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%d_%H%M%S}"


def make_logs(run: str) -> Path:
    """Creates the log folder of a run; keeps those of the last few runs."""
    for number in itertools.count(1):
        folder = LOGS / (run if number == 1 else f"{run}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            break
    runs = (path for path in LOGS.iterdir() if path.is_dir() and _RUN.fullmatch(path.name))
    by_age = sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT_LOGS:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


@contextlib.contextmanager
def start_environment(
    run: str,
    ports: Ports | None = None,
    keep: Path | None = None,
    families: Sequence[EventFamily] = (DEFAULT_FAMILY,),
) -> Iterator[Environment]:
    """Starts missing emulators, creates the tables and topics of the run, stops all at the end.

    Args:
        run: a suffix for all names, see ``run_name``.
        ports: where the emulators listen; None is free ports.
        keep: folder for the tables, which the next run with this folder finds; None deletes them.
        families: the event families whose tables and views are created.

    Raises:
        EmulatorError: an emulator does not start or answer.
    """
    dataset = Dataset(PROJECT, f"exams_{run}" if keep is None else _KEPT_DATASET)
    logs = make_logs(run)
    with contextlib.ExitStack() as stack:
        variables = dict(stack.enter_context(bigquery_emulator(logs, ports, keep)).environment)
        missing = None
        try:
            variables |= stack.enter_context(pubsub_emulator(logs, ports)).environment
        except EmulatorMissingError as error:
            missing = str(error)
        stack.enter_context(_exported(variables))
        with bigquery_client(dataset.project) as client:
            apply(client, dataset, families=families)
            if keep is not None and missing is None:
                _skip_message_ids(client, dataset, run, families)
        pubsub = None
        if missing is None:
            pubsub = PubSubNames.of(run)
            pubsub.create()
        yield Environment(dataset, variables, logs, pubsub, missing)


def _skip_message_ids(
    client: bigquery.Client, dataset: Dataset, run: str, families: Sequence[EventFamily]
) -> None:
    """Makes the Pub/Sub emulator assign ids that the kept tables do not have.

    It counts from 1 whenever it starts, and a message is counted by its id (DESIGN 6). Messages
    to a topic without a subscription consume ids.
    """
    sql = _LAST_MESSAGE_ID.format(message_ids=message_ids(dataset, families))
    [[last]] = client.query(sql).result()
    if not last:
        return
    topic = f"projects/{PROJECT}/topics/used-ids-{run}"
    with PublisherClient() as publisher:
        publisher.create_topic(name=topic)
        publish(((b"used", {}) for _ in range(last)), topic, lambda _: None)
        publisher.delete_topic(topic=topic)


@contextlib.contextmanager
def _exported(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
