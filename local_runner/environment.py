"""The set for one run: emulators, tables, topics."""

import contextlib
import dataclasses
import datetime as dt
import os
from collections.abc import Iterator

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from ddl.apply import apply
from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from local_runner.emulators.start import (
    PROJECT,
    EmulatorMissingError,
    bigquery_emulator,
    pubsub_emulator,
)

_ACK_DEADLINE_SECONDS = 600


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
    """What is ready for the pipeline.

    Attributes:
        dataset: has all tables and views.
        variables: they point clients at the emulators; set in this process too.
        pubsub: None where there is no Pub/Sub emulator.
        pubsub_missing: then, one line that says how to get it.
    """

    dataset: Dataset
    variables: dict[str, str]
    pubsub: PubSubNames | None = None
    pubsub_missing: str | None = None


def run_name() -> str:
    """The current second: keeps the runs on emulators that stay up apart."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%d_%H%M%S}"


@contextlib.contextmanager
def start_environment(run: str) -> Iterator[Environment]:
    """Starts what is missing, makes the tables and topics of the run, stops it all in the end.

    Args:
        run: a suffix for all names, see ``run_name``.

    Raises:
        EmulatorError: an emulator does not start or answer.
    """
    dataset = Dataset(PROJECT, f"exams_{run}")
    with contextlib.ExitStack() as stack:
        variables = dict(stack.enter_context(bigquery_emulator()).environment)
        missing = None
        try:
            variables |= stack.enter_context(pubsub_emulator()).environment
        except EmulatorMissingError as error:
            missing = str(error)
        stack.enter_context(_exported(variables))
        apply(bigquery_client(dataset.project), dataset)
        pubsub = None
        if missing is None:
            pubsub = PubSubNames.of(run)
            pubsub.create()
        yield Environment(dataset, variables, pubsub, missing)


@contextlib.contextmanager
def _exported(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
