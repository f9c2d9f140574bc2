"""The whole system in one command: traffic, the real pipeline, the numbers."""

import datetime as dt
import time
from collections.abc import Sequence
from pathlib import Path

from google.cloud import bigquery

from gcp.clients import bigquery_client
from gcp.console import print_table, progress, say
from local_runner.environment import Environment, PubSubNames, run_name, start_environment
from local_runner.errors import RunnerError
from local_runner.pipeline_process import (
    bounded_pipeline,
    drain_stream,
    follow_bounded,
    streaming_pipeline,
)
from local_runner.report.counts import NOT_PROVOKED, Reconciliation, arrived, reconcile
from local_runner.report.page import Report, Section
from local_runner.traffic.archive import write_archive
from local_runner.traffic.publishing import publish, pull
from local_runner.traffic.simulate import SimulatedMessage, default_start, simulate
from schemas.errors import ErrorKind
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily

REPORT = Path("build/report.html")
_PUBLISH_RATE = 500.0

DeadLetterAttributes = list[dict[str, str]]


def demo(size: int, seed: int, families: Sequence[EventFamily]) -> None:
    """Sends a simulated day through the pipeline and shows the result.

    Args:
        size: number of messages.
        seed: of the simulator.
        families: the event families, mixed on one topic.

    Raises:
        RunnerError: something does not start, the pipeline dies, or the numbers do not add up.
    """
    start = default_start()
    messages = simulate(size, seed, start, families)
    began = time.monotonic()
    say("Starting the emulators and creating the tables ...")
    with start_environment(run_name(), families=families) as environment:
        client = bigquery_client(environment.dataset.project)
        streamed = time.monotonic()
        on_topic = _run(environment, client, messages, start, families)
        about = {
            "Run": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
            "Messages": "streamed through Pub/Sub"
            if environment.pubsub
            else "read from an archive",
            "Seed": str(seed),
            "Time": f"{time.monotonic() - streamed:.0f} s",
        }
        dataset = environment.dataset
        reconciliation = reconcile(client, dataset, messages, on_topic, families)
        sections = [Section.read(client, dataset, family) for family in families]
        _show(reconciliation, sections)
        Report(_title(families), about, reconciliation, sections).write(REPORT)
    if reconciliation.faults:
        raise RunnerError(f"{'; '.join(reconciliation.faults)}; report: {REPORT}")
    say(
        f"done in {time.monotonic() - began:.0f} s: {reconciliation.published:,} messages, "
        f"{reconciliation.facts:,} facts, {reconciliation.duplicates:,} duplicates, "
        f"{reconciliation.dead_letters:,} dead letters, {reconciliation.unaccounted:,} "
        f"unaccounted; report: {REPORT}"
    )


def _title(families: Sequence[EventFamily]) -> str:
    if tuple(families) == (DEFAULT_FAMILY,):
        return "Exam events: results of the demo run"
    return f"Results of the demo run: {', '.join(family.name for family in families)}"


def _run(
    environment: Environment,
    client: bigquery.Client,
    messages: Sequence[SimulatedMessage],
    start: dt.datetime,
    families: Sequence[EventFamily],
) -> DeadLetterAttributes | None:
    """Sends the messages; gives the dead letters of the topic, or None without Pub/Sub."""
    if environment.pubsub is not None:
        return _stream(environment, environment.pubsub, client, messages, families)
    say(f"No stream here: {environment.pubsub_missing}")
    say("Going on with the same messages from an archive file.")
    archive = environment.logs / "traffic.avro"
    write_archive(messages, archive, PubSubNames.of("archive").subscription, start)
    with (
        bounded_pipeline(archive, environment.dataset, environment.logs, families) as process,
        progress("In the warehouse", len(messages)) as advance,
    ):
        follow_bounded(process, lambda: arrived(client, environment.dataset, families), advance)
    return None


def _stream(
    environment: Environment,
    pubsub: PubSubNames,
    client: bigquery.Client,
    messages: Sequence[SimulatedMessage],
    families: Sequence[EventFamily],
) -> DeadLetterAttributes:
    total, dataset = len(messages), environment.dataset
    with streaming_pipeline(pubsub, dataset, environment.logs, families) as process:
        with progress("Published", total) as advance:
            sent = ((message.payload, message.attributes) for message in messages)
            publish(sent, pubsub.topic, advance, _PUBLISH_RATE)
        with progress("In the warehouse", total) as advance:
            drain_stream(
                process, lambda: arrived(client, dataset, families), total, advance, families
            )
        dead = sum(message.outcome in set(ErrorKind) for message in messages)
        return pull(pubsub.dead_letter_subscription, dead)


def _show(reconciliation: Reconciliation, sections: Sequence[Section]) -> None:
    if reconciliation.by_family:
        print_table("Reconciliation", reconciliation.FAMILY_COLUMNS, reconciliation.family_lines())
        print_table(
            "Dead letters by kind",
            ("kind", *reconciliation.by_family),
            reconciliation.dead_letter_lines(),
        )
    else:
        columns = ("outcome", "sent", "in the warehouse")
        print_table("Reconciliation", columns, reconciliation.lines())
    say(
        f"published {reconciliation.published:,} = {reconciliation.facts:,} facts + "
        f"{reconciliation.duplicates:,} duplicates + {reconciliation.dead_letters:,} dead letters "
        f"+ {reconciliation.unaccounted:,} unaccounted"
    )
    if reconciliation.on_topic is not None:
        on_topic = reconciliation.on_topic.total()
        say(f"dead letters on the dead-letter topic: {on_topic:,}")
    if not reconciliation.by_family:
        say(
            f"{' and '.join(NOT_PROVOKED)} stay at 0: the emulator accepts every row that passes "
            "our checks, and the demo provokes no internal error."
        )
    for view in (view for section in sections for view in section.summaries):
        print_table(f"First rows of {view.name}", view.columns, view.shown())
