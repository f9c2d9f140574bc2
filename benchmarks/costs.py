"""What a million events cost at list prices: ``python -m benchmarks.costs`` prints the tables.

The page docs/costs.md says where prices and measurements come from and shows the arithmetic; a test
compares its tables with this module.
"""

import dataclasses
import math
from collections.abc import Sequence

_GIB, _TIB = 2**30, 2**40
_MILLION = 1_000_000
_HOURS_A_DAY = 24
_SECONDS_A_DAY = 86_400

# Prices, US dollars.
PUBSUB_TIB = 40.0
CLOUD_STORAGE_SUBSCRIPTION_TIB = 50.0
TOPIC_RETENTION_GIB_MONTH = 0.27
ARCHIVE_GIB_MONTH, NEARLINE_GIB_MONTH = 0.02, 0.01
BIGQUERY_SUBSCRIPTION_TIB = 50.0
STORAGE_WRITE_GIB = 0.025
INSERT_ALL_GIB = 0.01 / 200 * 1024
STORAGE_GIB_YEAR = 3 * 0.02 + 9 * 0.01
QUERY_TIB = 6.25
QUERY_LEAST_BYTES = 10 * 2**20
STREAMING_VCPU_HOUR = 0.069
STREAMING_GIB_HOUR = 0.003557
STREAMING_ENGINE_GIB = 0.018
VM_HOUR, VM_VCPUS = 0.01675, 0.5  # e2-small: half a vCPU lasting, 2 GiB
WORKER_VCPUS, WORKER_GIB = 2, 7.5  # n1-standard-2

# Measured (docs/benchmarks.md), or counted from the contract.
MESSAGE_BYTES = 342  # body 305, timestamp 20, message id 17
ROW_BYTES = 221
INSERT_ALL_BYTES = 1024
OURS_CORE_SECONDS = 15.1  # steps and Storage Write
INSERTS_CORE_SECONDS = 36.2  # steps and streaming inserts
NAIVE_CORE_SECONDS = 568.0  # json, jsonschema, WriteToBigQuery
SESSIONS_ASKED = 0.0009  # an event, by the micro-batch mode; the simulator's lost and late starts

# What deploy/terraform lays down.
TOPIC_DAYS = 7
ARCHIVE_DAYS, ACTIVE_DAYS = 400, 30

# Of the nightly script that stored tables have replaced; their own cost was not measured.
# Each night, for each of two summaries, nine days one by one: a day's partition, the eight before
# it and those after it that have come.
PARTITIONS_READ = 2 * sum(8 + days_ago for days_ago in range(1, 10))

# Assumed.
HARNESS_FACTOR = 2.0  # the runner's own work, and headroom
KEYED_SHARE = 0.2  # events whose payload does not settle their lateness
COLUMN_BYTES = 150  # of the columns that the summaries name
ARCHIVED_BYTES = 395  # the body, and in Avro the subscription's name, the id and the time
DAYS_ASKED = (
    8.5  # partitions that a query for session starts finds filled: eight, and half of today
)
START_COLUMN_BYTES = 120  # of the nine columns that it names, as in simulated traffic
BATCH_SECONDS, BATCH_MESSAGES = 1.0, 5_000  # the mode's defaults


@dataclasses.dataclass(frozen=True)
class Way:
    """One way from Pub/Sub to BigQuery; dollars per million events, workers apart.

    Attributes:
        core_seconds: busy time of one core; None where Google runs it.
        shuffled: bytes an event that go through Streaming Engine.
        archive: the raw archive, and what the topic retains.
        asked: sessions an event whose start is looked up by a query.
        machine_hour: price of the least that must run day and night, dollars an hour.
        core_hour: price of a busy core, dollars an hour.
    """

    name: str
    pubsub: float
    ingestion: float
    storage: float
    summaries: float
    archive: float = 0.0
    core_seconds: float = 0.0
    asked: float = 0.0
    shuffled: float = 0.0
    machine_hour: float = 0.0
    core_hour: float = 0.0

    @property
    def shuffle(self) -> float:
        """Streaming Engine: shuffle and state."""
        return self.shuffled * _MILLION / _GIB * STREAMING_ENGINE_GIB

    def workers(self, millions_a_day: float) -> float:
        """What runs: the busy cores, and never less than the one machine that is always on."""
        busy = self.core_seconds * HARNESS_FACTOR / 3600 * self.core_hour
        return max(busy, self.machine_hour * _HOURS_A_DAY / millions_a_day)

    def queries(self, millions_a_day: float) -> float:
        """The nightly summaries, and session starts where they are asked for."""
        return self.summaries + session_starts(millions_a_day, self.asked)

    def parts(self, millions_a_day: float) -> Sequence[float]:
        """In the order of the tables' columns."""
        return (
            self.workers(millions_a_day),
            self.shuffle,
            self.pubsub,
            self.ingestion,
            self.storage,
            self.archive,
            self.queries(millions_a_day),
        )

    def total(self, millions_a_day: float) -> float:
        """All of it."""
        return sum(self.parts(millions_a_day))


def session_starts(millions_a_day: float, asked: float) -> float:
    """Queries for so many sessions an event, dollars per million events.

    At most one query a batch, and none where no session of the batch is unknown.
    """
    per_batch = millions_a_day * _MILLION / _SECONDS_A_DAY * BATCH_SECONDS
    batch = max(1.0, min(BATCH_MESSAGES, per_batch))
    queries = _MILLION / batch * -math.expm1(-batch * asked)
    read = DAYS_ASKED * millions_a_day * _MILLION * START_COLUMN_BYTES
    return queries * max(read, QUERY_LEAST_BYTES) / _TIB * QUERY_TIB


def archive() -> float:
    """The archive subscription, its objects and the topic's retention, dollars per million."""
    months = 365 / 12
    stored = ACTIVE_DAYS * ARCHIVE_GIB_MONTH + (ARCHIVE_DAYS - ACTIVE_DAYS) * NEARLINE_GIB_MONTH
    delivered = MESSAGE_BYTES * _MILLION / _TIB * CLOUD_STORAGE_SUBSCRIPTION_TIB
    retained = MESSAGE_BYTES * _MILLION / _GIB * TOPIC_RETENTION_GIB_MONTH * TOPIC_DAYS / months
    return delivered + retained + ARCHIVED_BYTES * _MILLION / _GIB * stored / months


def ways() -> Sequence[Way]:
    """Ours and what else there is."""
    delivered = 2 * MESSAGE_BYTES * _MILLION / _TIB * PUBSUB_TIB
    row_storage = ROW_BYTES * _MILLION / _GIB * STORAGE_GIB_YEAR
    message_storage = MESSAGE_BYTES * _MILLION / _GIB * STORAGE_GIB_YEAR
    summaries = PARTITIONS_READ * COLUMN_BYTES * _MILLION / _TIB * QUERY_TIB
    raw_summaries = PARTITIONS_READ * MESSAGE_BYTES * _MILLION / _TIB * QUERY_TIB
    storage_write = ROW_BYTES * _MILLION / _GIB * STORAGE_WRITE_GIB
    insert_all = INSERT_ALL_BYTES * _MILLION / _GIB * INSERT_ALL_GIB
    worker = WORKER_VCPUS * STREAMING_VCPU_HOUR + WORKER_GIB * STREAMING_GIB_HOUR
    dataflow = {"machine_hour": worker, "core_hour": worker / WORKER_VCPUS}
    one_machine = {"machine_hour": VM_HOUR, "core_hour": VM_HOUR / VM_VCPUS}
    tables = {"storage": row_storage, "summaries": summaries}
    keyed = KEYED_SHARE * 2 * (MESSAGE_BYTES + ROW_BYTES)
    kept = {"archive": archive()}
    ours = {"pubsub": delivered, "ingestion": storage_write, **tables, **kept}
    inserts = {"pubsub": delivered, "ingestion": insert_all, **tables}
    # Not measured here: two SDK harnesses, and rows that are shuffled on their way to Java.
    java = {"core_seconds": 2 * OURS_CORE_SECONDS, "shuffled": MESSAGE_BYTES + keyed + ROW_BYTES}
    through = MESSAGE_BYTES + keyed
    return (
        Way(
            "ours on Dataflow", **ours, core_seconds=OURS_CORE_SECONDS, shuffled=through, **dataflow
        ),
        Way(
            "ours, --micro_batch",
            **ours,
            core_seconds=OURS_CORE_SECONDS,
            asked=SESSIONS_ASKED,
            **one_machine,
        ),
        Way(
            "ours, STREAMING_INSERTS",
            **inserts,
            **kept,
            core_seconds=INSERTS_CORE_SECONDS,
            shuffled=through,
            **dataflow,
        ),
        Way("Beam's Java Storage Write", **ours, **java, **dataflow),
        Way(
            "WriteToBigQuery, defaults",
            **inserts,
            core_seconds=NAIVE_CORE_SECONDS,
            shuffled=through + INSERT_ALL_BYTES,
            **dataflow,
        ),
        Way(
            "script with insertAll on a VM",
            **inserts,
            core_seconds=INSERTS_CORE_SECONDS,
            **one_machine,
        ),
        Way(
            "Pub/Sub BigQuery subscription",
            pubsub=MESSAGE_BYTES * _MILLION / _TIB * (PUBSUB_TIB + BIGQUERY_SUBSCRIPTION_TIB),
            ingestion=0.0,
            storage=message_storage,
            summaries=raw_summaries,
        ),
    )


def tables() -> str:
    """The tables of the page, as Markdown."""
    return "\n\n".join(map(_by_part, (0.01, 1.0, 100.0)))


def _by_part(millions_a_day: float) -> str:
    columns = [
        f"{millions_a_day:g} M events/day",
        *("workers", "shuffle", "Pub/Sub", "ingestion", "storage"),
        *("archive", "queries", "sum"),
    ]
    lines = [f"| {' | '.join(columns)} |", f"|---{'|--:' * (len(columns) - 1)}|"]
    for way in ways():
        parts = (*way.parts(millions_a_day), way.total(millions_a_day))
        lines.append(f"| {way.name} | {' | '.join(f'{part:.3f}' for part in parts)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables())
