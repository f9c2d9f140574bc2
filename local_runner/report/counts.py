"""Outcomes of the messages: counted in the warehouse and compared with what was sent (DESIGN 6)."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from google.cloud import bigquery

from gcp.dataset import Dataset
from local_runner.traffic.simulate import DUPLICATE, FACT
from pipeline.reconcile import count
from schemas.errors import ErrorKind
from schemas.tables import DEAD_LETTERS, EVENTS_FACT

_TABLE_SIZES = f"""
SELECT '{EVENTS_FACT}', COUNT(*) FROM `{{dataset}}.{EVENTS_FACT}`
UNION ALL SELECT '{DEAD_LETTERS}', COUNT(*) FROM `{{dataset}}.{DEAD_LETTERS}`"""  # noqa: S608

_ARRIVED = f"""
SELECT COUNT(DISTINCT message_id) FROM (
  SELECT message_id FROM `{{dataset}}.{EVENTS_FACT}`
  UNION ALL SELECT message_id FROM `{{dataset}}.{DEAD_LETTERS}`
)"""  # noqa: S608

# The emulator accepts every row that passes our checks, and the demo provokes no internal error.
NOT_PROVOKED = (ErrorKind.REJECTED_BY_WAREHOUSE, ErrorKind.INTERNAL_ERROR)


@dataclasses.dataclass(frozen=True)
class Reconciliation:
    """Messages sent and messages found.

    Attributes:
        expected: what was sent, by outcome: fact, duplicate or error kind.
        found: what the warehouse holds, by outcome.
        on_topic: dead letters on the dead-letter topic, by error kind; None without Pub/Sub.
    """

    expected: collections.Counter[str]
    found: collections.Counter[str]
    on_topic: collections.Counter[str] | None = None

    @property
    def published(self) -> int:
        """Messages that were published."""
        return self.expected.total()

    @property
    def facts(self) -> int:
        """Distinct events in the fact table."""
        return self.found[FACT]

    @property
    def duplicates(self) -> int:
        """Messages in the fact table beyond the first of their event."""
        return self.found[DUPLICATE]

    @property
    def dead_letters(self) -> int:
        """Messages that are dead letters and not facts."""
        return self._dead_letters_by_kind.total()

    @property
    def _dead_letters_by_kind(self) -> collections.Counter[str]:
        return collections.Counter({str(kind): self.found[kind] for kind in ErrorKind})

    @property
    def unaccounted(self) -> int:
        """Published - (facts + duplicates + dead letters); must be 0."""
        return self.published - self.found.total()

    @property
    def missing_kinds(self) -> list[ErrorKind]:
        """Error kinds that were sent but have no dead letter."""
        return [kind for kind in ErrorKind if self.expected[kind] and not self.found[kind]]

    @property
    def faults(self) -> list[str]:
        """One line per mismatch; empty if everything adds up."""
        faults = []
        if self.unaccounted:
            faults.append(
                f"{self.unaccounted:,} of {self.published:,} messages are unaccounted for"
            )
        if +self.found != +self.expected:
            faults.append("the outcomes in the warehouse differ from those sent")
        if self.on_topic not in (None, +self._dead_letters_by_kind):
            faults.append("the dead-letter topic and the table dead_letters differ")
        if self.missing_kinds:
            faults.append(f"no dead letter of kind {', '.join(self.missing_kinds)}")
        return faults

    def lines(self) -> list[tuple[str, int, int]]:
        """Outcome, sent, found: facts, duplicates, then every error kind."""
        outcomes = (FACT, DUPLICATE, *ErrorKind)
        return [(str(o), self.expected[o], self.found[o]) for o in outcomes]


def rows(client: bigquery.Client, dataset: Dataset) -> collections.Counter[str]:
    """Rows by table: events_fact and dead_letters."""
    return collections.Counter(dict(_rows(client, _TABLE_SIZES, dataset)))


def arrived(client: bigquery.Client, dataset: Dataset) -> int:
    """Number of messages that are in the fact table or a dead letter so far."""
    [[messages]] = _rows(client, _ARRIVED, dataset)
    return int(messages)


def reconcile(
    client: bigquery.Client,
    dataset: Dataset,
    outcomes: Iterable[str],
    topic: Iterable[Mapping[str, str]] | None,
) -> Reconciliation:
    """Compares what the sender expects with what the warehouse and the dead-letter topic hold.

    Args:
        client: for the warehouse.
        dataset: where its tables are.
        outcomes: the expected outcome of every message that was sent.
        topic: attributes of the dead letters on the topic; None without Pub/Sub.
    """
    counts = count(client, dataset)
    found = collections.Counter({FACT: counts.facts, DUPLICATE: counts.duplicates})
    found.update(counts.dead_letters)
    on_topic = None
    if topic is not None:
        kinds = {letter["message_id"]: letter["error_kind"] for letter in topic}
        on_topic = collections.Counter(kinds.values())
    return Reconciliation(collections.Counter(map(str, outcomes)), found, on_topic)


def _rows(client: bigquery.Client, sql: str, dataset: Dataset) -> list[tuple[Any, ...]]:
    result = client.query(sql.format(dataset=dataset)).result()
    return [tuple(row.values()) for row in result]
