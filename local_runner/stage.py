"""The set for one run: emulators, tables, topics, and the real pipeline in a process of its own."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from local_runner.emulators import (
    LOGS,
    PROJECT,
    EmulatorMissingError,
    bigquery_emulator,
    pubsub_emulator,
)
from local_runner.errors import RunnerError
from local_runner.processes import Background, background
from schemas.warehouse import Dataset

_POLL_SECONDS = 0.5
_ACK_DEADLINE_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Wiring:
    """Full names of the topics and subscriptions of one run."""

    topic: str
    subscription: str
    dead_letter_topic: str
    dead_letter_subscription: str

    @classmethod
    def of(cls, run: str) -> "Wiring":
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
class Stage:
    """What is ready for the pipeline.

    Attributes:
        dataset: has all tables and views.
        environment: variables that point clients at the emulators; set in this process too.
        wiring: None where there is no Pub/Sub emulator.
        pubsub_missing: then, one line that says how to get it.
    """

    dataset: Dataset
    environment: dict[str, str]
    wiring: Wiring | None = None
    pubsub_missing: str | None = None


@contextlib.contextmanager
def set_stage(run: str) -> Iterator[Stage]:
    """Starts what is missing, makes the tables and topics of the run, stops it all in the end.

    Args:
        run: a suffix of digits that keeps runs on the same emulators apart.

    Raises:
        RunnerError: an emulator or the DDL tool fails.
    """
    dataset = Dataset(PROJECT, f"exams_{run}")
    with contextlib.ExitStack() as stack:
        environment = dict(stack.enter_context(bigquery_emulator()).environment)
        missing = None
        try:
            environment |= stack.enter_context(pubsub_emulator()).environment
        except EmulatorMissingError as error:
            missing = str(error)
        stack.enter_context(_exported(environment))
        _apply_ddl(dataset)
        wiring = None
        if missing is None:
            wiring = Wiring.of(run)
            wiring.create()
        yield Stage(dataset, environment, wiring, missing)


@contextlib.contextmanager
def _exported(environment: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _apply_ddl(dataset: Dataset) -> None:
    command = [sys.executable, "-m", "ddl", "apply", "--dataset", str(dataset)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RunnerError(f"the tables could not be made: {done.stderr.strip()}")


@contextlib.contextmanager
def pipeline(arguments: Sequence[str]) -> Iterator[Background]:
    """Runs ``python -m pipeline.main`` with the arguments; its log is ``build/pipeline.log``."""
    with background(
        [sys.executable, "-m", "pipeline.main", *arguments], LOGS / "pipeline.log"
    ) as p:
        yield p


def streaming_arguments(wiring: Wiring, dataset: Dataset) -> list[str]:
    """The pipeline's arguments for a stream."""
    return [
        f"--input_subscription={wiring.subscription}",
        f"--dead_letter_topic={wiring.dead_letter_topic}",
        f"--dataset={dataset}",
    ]


def drain(
    process: Background, count: Callable[[], int], total: int, advance: Callable[[int], None]
) -> None:
    """Waits until ``count()`` has reached ``total`` or the bounded pipeline has ended.

    Args:
        process: the pipeline.
        count: messages that the warehouse has so far.
        total: messages that it should have in the end.
        advance: told the count, again and again.

    Raises:
        RunnerError: the pipeline died; the text ends with the last lines of its log.
    """
    while True:
        code = process.exit_code()
        done = count()
        advance(done)
        if code:
            raise RunnerError(
                f"the pipeline ended with exit code {code}; the end of {process.log}:\n"
                f"{process.last_lines()}"
            )
        if done >= total or code == 0:
            return
        time.sleep(_POLL_SECONDS)
