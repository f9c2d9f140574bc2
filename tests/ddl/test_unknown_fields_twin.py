"""The check unknown_fields and the counters judge names alike: SQL against Python."""

import random

import pytest

from ddl.check import checks, parameters
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.ddl import golden
from tests.ddl.googlesql import GoogleSql
from transforms.decoding.unknown_fields import ContractNames

CONTRACT = EXAM_EVENT.event.__struct_fields__
MANY = 100  # as many as the check shows
SIGNS = "_-ab1\u00e9I"


def misspelt(rng: random.Random) -> str:
    """A name of the contract after a few slips, or a part of one."""
    name = rng.choice(CONTRACT)
    for _ in range(rng.randrange(5)):
        place = rng.randrange(len(name) + 1)
        put = rng.choice(["", rng.choice(SIGNS), name[place : place + 1].upper()])
        name = name[:place] + put + name[place + rng.randrange(2) :]
    return rng.choice([name, name[: rng.randrange(4, 12)], name + rng.choice(SIGNS) * 3])


@pytest.mark.parametrize("seed", range(5))
def test_both_find_the_same_nearest_name(seed: int, googlesql: GoogleSql, dataset: Dataset) -> None:
    rng, names = random.Random(seed), ContractNames(EXAM_EVENT)
    fields = {misspelt(rng) for _ in range(MANY)}
    row = {"event_id": "e1", "event_type": "page_view", "client_ts": "2026-03-02T10:00:00Z"}
    facts = [golden.fact({**row, "extra": dict.fromkeys(fields, 1)}, 1)]
    check = next(check for check in checks(dataset) if check.name == "unknown_fields")
    rows = googlesql.run(
        check.sql, {dataset.table("events_fact"): facts}, parameters(EARLIEST_DATE, LATEST_DATE)
    )
    # JSON_KEYS puts a name with unusual signs in quotation marks.
    found = {row["finding"].replace('"', "") for row in rows}
    nearest = {field: names.nearest(field) for field in fields}
    assert found == {f"{field} ({name}?)" if name else field for field, name in nearest.items()}
    assert len(set(nearest.values())) > len(CONTRACT) / 2
    assert None in nearest.values()
