"""What is stored of the messages of several families, in a form in which two datasets compare."""

import collections
from collections.abc import Sequence
from typing import Any

from google.cloud import bigquery

from gcp.dataset import Dataset
from local_runner.traffic.simulate import DUPLICATE, FACT
from pipeline import reconcile
from schemas.families import FAMILIES
from schemas.family import EventFamily
from tests.scenarios.mixed_families.traffic import Sent, assert_counts

FAMILY_OPTION = f"--event_family={','.join(FAMILIES)}"
KEY_VARIABLE = "MIXED_FAMILIES_KEY"
# Learner events are not stored without a key.
OPTIONS = (FAMILY_OPTION, f"--pseudonym_key=k1=env:{KEY_VARIABLE}")
LETTERS = """
    SELECT message_id, publish_time, payload, error_kind, error_field, event_family, event_id,
      error_message, stage, contract_version
    FROM `{}.dead_letters`
"""
_SAID = ("payload", "error_kind", "error_field", "event_family")


def arrived(client: bigquery.Client, dataset: Dataset) -> int:
    """How many different messages are stored; cheaper than to reconcile."""
    tables = [*(family.table for family in FAMILIES.values()), "dead_letters"]
    ids = " UNION ALL ".join(f"SELECT message_id FROM `{dataset.table(name)}`" for name in tables)
    [row] = client.query(f"SELECT COUNT(DISTINCT message_id) AS n FROM ({ids})").result()
    return row["n"]


def facts(client: bigquery.Client, dataset: Dataset, family: EventFamily) -> list[dict[str, Any]]:
    """The family's events; not when and by which version they were written."""
    left_out = f"{family.column('ingest_ts')}, pipeline_version"
    view = f"{dataset}.{family.view}"
    rows = client.query(f"SELECT * EXCEPT ({left_out}) FROM `{view}` ORDER BY event_id").result()
    return [dict(row.items()) for row in rows]


def letters(client: bigquery.Client, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The dead letters by message id; a copy that says something else is an error."""
    found: dict[str, dict[str, Any]] = {}
    for row in client.query(LETTERS.format(dataset)).result():
        letter = dict(row.items())
        first = found.setdefault(letter["message_id"], letter)
        assert first == letter, f"message {letter['message_id']} has dead letters that differ"
    return found


def assert_letters(found: dict[str, dict[str, Any]], messages: Sequence[Sent]) -> None:
    """There is a dead letter of each bad message, with the predicted kind, field and family."""
    said = collections.Counter(tuple(letter[name] for name in _SAID) for letter in found.values())
    expected = collections.Counter(
        (message.payload, message.outcome, message.field, message.family)
        for message in messages
        if message.outcome not in (FACT, DUPLICATE)
    )
    # Cut, since the largest payloads would fill the report of a failure.
    missing, surplus = expected - said, said - expected
    assert not missing, f"not found: {[_short(one) for one in missing]}"
    assert not surplus, f"not predicted: {[_short(one) for one in surplus]}"


def checked(client: bigquery.Client, dataset: Dataset, messages: Sequence[Sent]) -> dict[str, Any]:
    """What is stored, once each message is found there as what it must become."""
    assert_counts(reconcile.count(client, dataset, families=[*FAMILIES.values()]), messages)
    arguments = [f"--dataset={dataset}", FAMILY_OPTION, f"--expected={len(messages)}"]
    assert reconcile.main(arguments) == 0
    found = stored(client, dataset)
    assert_letters(found["dead_letters"], messages)
    return found


def stored(client: bigquery.Client, dataset: Dataset) -> dict[str, Any]:
    """The events of each family, and the dead letters."""
    events = {family.name: facts(client, dataset, family) for family in FAMILIES.values()}
    return {**events, "dead_letters": letters(client, dataset)}


def _short(letter: tuple[Any, ...]) -> tuple[Any, ...]:
    payload, *said = letter
    return payload[:300], *said
