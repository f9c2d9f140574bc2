"""Outcomes of the messages: counted in the warehouse and compared with what was sent (DESIGN 6)."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from google.cloud import bigquery

from gcp.dataset import Dataset
from local_runner.traffic.simulate import DUPLICATE, FACT, SimulatedMessage
from pipeline import fact_tables
from pipeline.counts import Counts
from pipeline.reconcile import NO_FAMILY, count
from schemas.errors import ErrorKind
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily
from schemas.tables import DEAD_LETTERS, EVENTS_FACT

_TABLE_SIZES = f"""
SELECT '{EVENTS_FACT}', COUNT(*) FROM `{{dataset}}.{EVENTS_FACT}`
UNION ALL SELECT '{DEAD_LETTERS}', COUNT(*) FROM `{{dataset}}.{DEAD_LETTERS}`"""  # noqa: S608

# The emulator accepts every row that passes our checks, and the demo provokes no internal error.
NOT_PROVOKED = (ErrorKind.REJECTED_BY_WAREHOUSE, ErrorKind.INTERNAL_ERROR)


@dataclasses.dataclass(frozen=True)
class Reconciliation:
    """Messages sent and messages found.

    Attributes:
        expected: what was sent, by outcome: fact, duplicate or error kind.
        found: what the warehouse holds, by outcome.
        on_topic: dead letters on the dead-letter topic, by error kind; None without Pub/Sub.
        by_family: the same for each of several event families, and for messages of no family.
    """

    FAMILY_COLUMNS: ClassVar = (
        *("event family", "published", "facts", "duplicates"),
        *("dead letters", "unaccounted"),
    )

    expected: collections.Counter[str]
    found: collections.Counter[str]
    on_topic: collections.Counter[str] | None = None
    by_family: Mapping[str, "Reconciliation"] = dataclasses.field(default_factory=dict)

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
        if self.by_family:
            return [
                f"{name}: {fault}" for name, of in self.by_family.items() for fault in of.faults
            ]
        faults = []
        if self.unaccounted > 0:
            faults.append(
                f"{self.unaccounted:,} of {self.published:,} messages are unaccounted for"
            )
        if self.unaccounted < 0:
            faults.append(f"{-self.unaccounted:,} messages more than the {self.published:,} sent")
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

    def family_lines(self) -> list[tuple[str, int, int, int, int, int]]:
        """For each family what FAMILY_COLUMNS name."""
        return [
            (name, of.published, of.facts, of.duplicates, of.dead_letters, of.unaccounted)
            for name, of in self.by_family.items()
        ]

    def dead_letter_lines(self) -> list[tuple[str, *tuple[int, ...]]]:
        """For each error kind that was sent or found, the dead letters of each family."""
        return [
            (str(kind), *(of.found[kind] for of in self.by_family.values()))
            for kind in ErrorKind
            if self.expected[kind] or self.found[kind]
        ]


def rows(client: bigquery.Client, dataset: Dataset) -> collections.Counter[str]:
    """Rows by table: events_fact and dead_letters."""
    return collections.Counter(dict(_rows(client, _TABLE_SIZES.format(dataset=dataset))))


def message_ids(dataset: Dataset, families: Sequence[EventFamily]) -> str:
    """A query: ``message_id`` of each row that is a fact of these families or a dead letter."""
    facts = fact_tables.rows(dataset, families, "message_id")
    return (
        f"SELECT message_id FROM ({facts}) "  # noqa: S608 - names of ours
        f"UNION ALL SELECT message_id FROM `{dataset.table(DEAD_LETTERS)}`"
    )


def arrived(
    client: bigquery.Client, dataset: Dataset, families: Sequence[EventFamily] = (DEFAULT_FAMILY,)
) -> int:
    """Number of messages that are in a fact table or a dead letter so far."""
    ids = message_ids(dataset, families)
    [[messages]] = _rows(client, f"SELECT COUNT(DISTINCT message_id) FROM ({ids})")  # noqa: S608
    return int(messages)


def reconcile(
    client: bigquery.Client,
    dataset: Dataset,
    sent: Iterable[SimulatedMessage],
    topic: Iterable[Mapping[str, str]] | None,
    families: Sequence[EventFamily],
) -> Reconciliation:
    """Compares what the sender expects with what the warehouse and the dead-letter topic hold.

    Args:
        client: for the warehouse.
        dataset: where its tables are.
        sent: every message.
        topic: attributes of the dead letters on the topic; None without Pub/Sub.
        families: which the pipeline read.
    """
    counts = count(client, dataset, families=families)
    expected: _ByFamily = collections.defaultdict(collections.Counter)
    for message in sent:
        expected[message.family or NO_FAMILY][str(message.outcome)] += 1
    letters = None if topic is None else _letters(topic)
    if len(families) == 1:
        return _reconciliation(expected[families[0].name], counts, letters, families[0].name)
    none = Counts(0, 0, {}, 0)
    by_family = {}
    for name in (*(family.name for family in families), NO_FAMILY):
        found = counts.by_family.get(None if name == NO_FAMILY else name, none)
        by_family[name] = _reconciliation(expected[name], found, letters, name)
    return Reconciliation(
        expected=_sum(of.expected for of in by_family.values()),
        found=_sum(of.found for of in by_family.values()),
        on_topic=None if letters is None else _sum(letters.values()),
        by_family=by_family,
    )


_ByFamily: TypeAlias = dict[str, collections.Counter[str]]


def _letters(topic: Iterable[Mapping[str, str]]) -> _ByFamily:
    """Dead letters on the topic by family and kind, each once."""
    letters: _ByFamily = collections.defaultdict(collections.Counter)
    for letter in {letter["message_id"]: letter for letter in topic}.values():
        letters[letter.get("event_family", NO_FAMILY)][letter["error_kind"]] += 1
    return letters


def _reconciliation(
    expected: collections.Counter[str], counts: Counts, letters: _ByFamily | None, name: str
) -> Reconciliation:
    found = collections.Counter({FACT: counts.facts, DUPLICATE: counts.duplicates})
    found.update(counts.dead_letters)
    return Reconciliation(expected, found, None if letters is None else letters[name])


def _sum(counters: Iterable[collections.Counter[str]]) -> collections.Counter[str]:
    return sum(counters, collections.Counter())


def _rows(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.query(sql).result()]
