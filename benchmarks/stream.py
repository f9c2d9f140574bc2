"""The stream on the direct runner: messages a second, and latency from publish to queryable.

Ours against its floor (``benchmarks.rivals.identity``), both as processes of their own between
Google's Pub/Sub emulator and the BigQuery emulator. Throughput: a burst is published at once and
timed until its last message can be queried. Latency: messages at a steady rate, each timed from the
moment it is handed to Pub/Sub to the end of the first query that finds its row, one query after
another.
"""

import datetime as dt
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from google.cloud import bigquery
from google.cloud.pubsub_v1 import PublisherClient

from benchmarks.harness.measure import Figure
from benchmarks.harness.traffic import payloads
from gcp.clients import bigquery_client
from local_runner.emulators.start import LOGS
from local_runner.environment import Environment, PubSubNames, run_name, start_environment
from local_runner.errors import RunnerError
from local_runner.processes.background import background
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.tables import DEAD_LETTERS

_CONTENDERS = {"stream": "pipeline.main", "stream_floor": "benchmarks.rivals.identity"}
_PERCENTILES = (50, 95, 99)
_GIVE_UP_SECONDS = 300.0


def run(quick: bool) -> list[Figure]:
    """Figures of both, none of them a target; nothing where there is no Pub/Sub emulator."""
    burst, steady, rate = (10, 10, 20.0) if quick else (1_000, 600, 20.0)
    figures = []
    with start_environment(f"bench_{run_name()}") as environment:
        if environment.pubsub is None:
            print(f"left out: {environment.pubsub_missing}", end=" ")
            return []
        for key, module in _CONTENDERS.items():
            pubsub = PubSubNames.of(f"{key}_{run_name()}")
            pubsub.create()
            with _pipeline(module, environment, pubsub), Probe(environment, pubsub) as probe:
                probe.send(payloads(1), rate)  # started, connected and warm
                seconds = max(probe.send(payloads(burst), None))
                latencies = probe.send(payloads(steady), rate)
            figures.append(
                Figure(f"{key}_per_second", burst / seconds, "messages, of a burst", "/s")
            )
            cuts = statistics.quantiles(latencies, n=100)
            figures += [
                Figure(
                    f"{key}_p{percentile}_seconds",
                    cuts[percentile - 1],
                    f"publish to queryable at {rate:g} messages/s",
                    "s",
                )
                for percentile in _PERCENTILES
            ]
    ours, floor = (f.value for f in figures if f.key.endswith("_per_second"))
    return [
        *figures,
        Figure("stream_vs_floor", ours / floor, "throughput of source and sink alone"),
    ]


@contextmanager
def _pipeline(module: str, environment: Environment, pubsub: PubSubNames) -> Iterator[None]:
    command = [
        *(sys.executable, "-m", module, f"--dataset={environment.dataset}"),
        f"--input_subscription={pubsub.subscription}",
        f"--dead_letter_topic={pubsub.dead_letter_topic}",
    ]
    with background(command, Path(LOGS) / f"{module}.log"):
        yield


class Probe:
    """Publishes messages and finds out when each can be queried."""

    def __init__(self, environment: Environment, pubsub: PubSubNames) -> None:
        self._topic = pubsub.topic
        self._publisher = PublisherClient()
        self._client: bigquery.Client = bigquery_client(environment.dataset.project)
        self._sql = (
            f"SELECT message_id FROM `{environment.dataset.table(EXAM_EVENT.table)}` "  # noqa: S608
            "WHERE publish_ts >= @since UNION ALL "
            f"SELECT message_id FROM `{environment.dataset.table(DEAD_LETTERS)}` "
            "WHERE publish_time >= @since"
        )

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_: object) -> None:
        self._publisher.stop()
        self._client.close()  # type: ignore[no-untyped-call]

    def send(self, sent: Sequence[bytes], rate: float | None) -> list[float]:
        """Publishes at a rate (None: all at once); seconds from publish to queryable of each."""
        published: dict[str, float] = {}
        publishing = threading.Thread(target=self._publish, args=(sent, rate, published))
        publishing.start()
        seen: dict[str, float] = {}
        give_up = time.monotonic() + _GIVE_UP_SECONDS
        while len(published) < len(sent) or published.copy().keys() - seen.keys():
            missing = [moment for name, moment in published.copy().items() if name not in seen]
            found = self._found(since=min(missing, default=time.monotonic()))
            now = time.monotonic()
            if now > give_up:
                raise RunnerError(f"{len(sent) - len(seen)} messages never came; see {LOGS}")
            for message_id in found:
                seen.setdefault(message_id, now)
        publishing.join()
        return [seen[message_id] - began for message_id, began in published.items()]

    def _found(self, since: float) -> list[str]:
        """Messages that can be queried; those that were published a second before are left out."""
        ago = dt.timedelta(seconds=time.monotonic() - since + 1)
        moment = bigquery.ScalarQueryParameter("since", "TIMESTAMP", dt.datetime.now(dt.UTC) - ago)
        config = bigquery.QueryJobConfig(query_parameters=[moment])
        return [row["message_id"] for row in self._client.query(self._sql, config).result()]

    def _publish(
        self, sent: Sequence[bytes], rate: float | None, published: dict[str, float]
    ) -> None:
        began = time.monotonic()
        for number, payload in enumerate(sent):
            if rate is not None:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
            moment = time.monotonic()
            future = self._publisher.publish(self._topic, payload)
            future.add_done_callback(lambda done, at=moment: published.update({done.result(): at}))
