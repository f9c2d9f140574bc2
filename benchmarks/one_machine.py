"""The micro-batch mode beside the script that people write first (``benchmarks.rivals.script``).

Both are processes of their own between Google's Pub/Sub emulator and the BigQuery emulator, and
drain a subscription on which all messages wait: a simulated exam day, of which what the script
could not take is left out. Measured from the first rows in the table to the last, so that neither
pays for its start. Before that, latency of the mode alone, as for the stream.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from google.cloud import bigquery

from benchmarks.harness.measure import Figure
from benchmarks.harness.traffic import payloads
from benchmarks.stream import Probe
from gcp.clients import bigquery_client
from local_runner.emulators.start import LOGS
from local_runner.environment import Environment, PubSubNames, run_name, start_environment
from local_runner.errors import RunnerError
from local_runner.processes.background import background
from local_runner.traffic.publishing import publish
from local_runner.traffic.simulate import DUPLICATE, FACT, SimulatedMessage, default_start, simulate

_POLL_SECONDS = 0.25
_GIVE_UP_SECONDS = 600.0
_RATE = 500.0


def run(quick: bool) -> list[Figure]:
    """The ratio and what it is made of; nothing where there is no Pub/Sub emulator."""
    count, steady = (500, 100) if quick else (100_000, 15_000)
    messages = _messages(count)
    with start_environment(f"bench_{run_name()}") as environment:
        if environment.pubsub is None:
            print(f"left out: {environment.pubsub_missing}", end=" ")
            return []
        pubsub = _laid("latency")
        with (
            _running(_command("one_machine", environment, pubsub)),
            Probe(environment, pubsub) as probe,
        ):
            probe.send(payloads(1), _RATE)  # started, connected and warm
            latencies = probe.send(payloads(steady), _RATE)
        script = _rate("script", environment, messages)
        machine = _rate("one_machine", environment, messages)
    return [
        Figure("script_per_second", script, "messages, of those that wait", "/s"),
        Figure(
            "one_machine_per_second", machine, "messages, of those that wait", "/s", at_least=4_000
        ),
        Figure("one_machine_vs_script", machine / script, "messages a second", at_least=1),
        Figure(
            "one_machine_p95_seconds",
            statistics.quantiles(latencies, n=20)[-1],
            f"publish to queryable at {_RATE:g} messages/s",
            "s",
            at_most=5,
        ),
    ]


def _messages(count: int) -> list[SimulatedMessage]:
    """So many that become rows whoever writes them."""
    day = simulate(count + count // 5, seed=1, start=default_start())
    return list(itertools.islice((m for m in day if m.outcome in (FACT, DUPLICATE)), count))


def _rate(name: str, environment: Environment, messages: Sequence[SimulatedMessage]) -> float:
    """Messages a second of one contender."""
    pubsub = _laid(name)
    publish(((m.payload, m.attributes) for m in messages), pubsub.topic, lambda done: None)
    with bigquery_client(environment.dataset.project) as client:
        before = _rows(client, environment)
        with _running(_command(name, environment, pubsub)):
            first, began = _wait(client, environment, before + 1)
            last, ended = _wait(client, environment, before + len(messages))
    return (last - first) / (ended - began) if last > first else (last - before) / _POLL_SECONDS


def _laid(name: str) -> PubSubNames:
    pubsub = PubSubNames.of(f"{name}_{run_name()}")
    pubsub.create()
    return pubsub


def _command(name: str, environment: Environment, pubsub: PubSubNames) -> list[str]:
    if name == "script":
        return ["-m", "benchmarks.rivals.script", pubsub.subscription, str(environment.dataset)]
    return [
        *("-m", "pipeline.main", "--micro_batch", f"--dataset={environment.dataset}"),
        f"--input_subscription={pubsub.subscription}",
        f"--dead_letter_topic={pubsub.dead_letter_topic}",
    ]


@contextmanager
def _running(command: Sequence[str]) -> Iterator[None]:
    with background([sys.executable, *command], Path(LOGS) / f"{command[1]}.log"):
        yield


def _wait(client: bigquery.Client, environment: Environment, rows: int) -> tuple[int, float]:
    """Waits for so many rows; how many there are, and when."""
    give_up = time.monotonic() + _GIVE_UP_SECONDS
    while (found := _rows(client, environment)) < rows:
        if time.monotonic() > give_up:
            raise RunnerError(f"{rows - found} rows never came; see {LOGS}")
        time.sleep(_POLL_SECONDS)
    return found, time.monotonic()


def _rows(client: bigquery.Client, environment: Environment) -> int:
    [[found]] = client.query(f"SELECT COUNT(*) FROM `{environment.dataset}.events_fact`").result()  # noqa: S608
    return int(found)
