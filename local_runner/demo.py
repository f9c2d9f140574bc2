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
from local_runner.report import summaries
from local_runner.report.counts import NOT_PROVOKED, Reconciliation, arrived, reconcile
from local_runner.report.page import Report
from local_runner.traffic.archive import write_archive
from local_runner.traffic.publishing import publish, pull
from local_runner.traffic.simulate import SimulatedMessage, default_start, simulate
from schemas.errors import ErrorKind

REPORT = Path("build/report.html")
_PUBLISH_RATE = 500.0

DeadLetterAttributes = list[dict[str, str]]


def demo(size: int, seed: int) -> None:
    """Sends a simulated day through the pipeline and shows the result.

    Args:
        size: number of messages.
        seed: of the simulator.

    Raises:
        RunnerError: something does not start, the pipeline dies, or the numbers do not add up.
    """
    start = default_start()
    messages = simulate(size, seed, start)
    began = time.monotonic()
    say("Starting the emulators and creating the tables ...")
    with start_environment(run_name()) as environment:
        client = bigquery_client(environment.dataset.project)
        streamed = time.monotonic()
        on_topic = _run(environment, client, messages, start)
        about = {
            "Run": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
            "Messages": "streamed through Pub/Sub"
            if environment.pubsub
            else "read from an archive",
            "Seed": str(seed),
            "Time": f"{time.monotonic() - streamed:.0f} s",
        }
        outcomes = [message.outcome for message in messages]
        reconciliation = reconcile(client, environment.dataset, outcomes, on_topic)
        tables = summaries.first_rows(client, environment.dataset)
        _show(reconciliation, tables)
        kpis = summaries.kpis(client, environment.dataset)
        Report(about, reconciliation, tables, kpis).write(REPORT)
    if reconciliation.faults:
        raise RunnerError(f"{'; '.join(reconciliation.faults)}; report: {REPORT}")
    say(
        f"done in {time.monotonic() - began:.0f} s: {reconciliation.published:,} messages, "
        f"{reconciliation.facts:,} facts, {reconciliation.duplicates:,} duplicates, "
        f"{reconciliation.dead_letters:,} dead letters, {reconciliation.unaccounted:,} "
        f"unaccounted; report: {REPORT}"
    )


def _run(
    environment: Environment,
    client: bigquery.Client,
    messages: Sequence[SimulatedMessage],
    start: dt.datetime,
) -> DeadLetterAttributes | None:
    """Sends the messages; gives the dead letters of the topic, or None without Pub/Sub."""
    if environment.pubsub is not None:
        return _stream(environment, environment.pubsub, client, messages)
    say(f"No stream here: {environment.pubsub_missing}")
    say("Going on with the same messages from an archive file.")
    archive = environment.logs / "traffic.avro"
    write_archive(messages, archive, PubSubNames.of("archive").subscription, start)
    with (
        bounded_pipeline(archive, environment.dataset, environment.logs) as process,
        progress("In the warehouse", len(messages)) as advance,
    ):
        follow_bounded(process, lambda: arrived(client, environment.dataset), advance)
    return None


def _stream(
    environment: Environment,
    pubsub: PubSubNames,
    client: bigquery.Client,
    messages: Sequence[SimulatedMessage],
) -> DeadLetterAttributes:
    total = len(messages)
    with streaming_pipeline(pubsub, environment.dataset, environment.logs) as process:
        with progress("Published", total) as advance:
            sent = ((message.payload, message.attributes) for message in messages)
            publish(sent, pubsub.topic, advance, _PUBLISH_RATE)
        with progress("In the warehouse", total) as advance:
            drain_stream(process, lambda: arrived(client, environment.dataset), total, advance)
        dead = sum(message.outcome in set(ErrorKind) for message in messages)
        return pull(pubsub.dead_letter_subscription, dead)


def _show(reconciliation: Reconciliation, tables: Sequence[summaries.View]) -> None:
    lines = reconciliation.lines()
    print_table("Reconciliation", ("outcome", "sent", "in the warehouse"), lines)
    say(
        f"published {reconciliation.published:,} = {reconciliation.facts:,} facts + "
        f"{reconciliation.duplicates:,} duplicates + {reconciliation.dead_letters:,} dead letters "
        f"+ {reconciliation.unaccounted:,} unaccounted for"
    )
    if reconciliation.on_topic is not None:
        on_topic = reconciliation.on_topic.total()
        say(f"dead letters on the dead-letter topic: {on_topic:,}")
    say(
        f"{' and '.join(NOT_PROVOKED)} stay at 0: the emulator accepts every row that passes our "
        "checks, and the demo provokes no internal error."
    )
    for view in tables:
        print_table(f"First rows of {view.name}", view.columns, view.shown())
