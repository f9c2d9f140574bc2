"""What a contract may not say is one clear error, and not a column that holds something else."""

from typing import Any

import pytest

from schemas import contract
from tests.support.families import ID, NUMERIC, field, nullable, record


def nested(levels: int) -> dict[str, Any]:
    inner = field("one", ID)
    for _ in range(levels - 1):
        inner = field("one", {"type": record("Level", inner)})
    return inner


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ([field("a", {"type": "float"})], "a: no column can hold float"),
        ([field("a", {"type": {"type": "map", "values": "int"}})], "a: no column can hold map"),
        ([field("a", {"type": ["int", "string"]})], "a: the only union allowed is"),
        (
            [field("a", {"type": NUMERIC["type"] | {"precision": 10, "scale": 2}})],
            "a: a decimal has precision 38 and scale 9",
        ),
        ([field("a", nullable(ID)), field("b", ID)], "b is required: put it before nullable"),
        ([nested(contract.MAX_NESTING + 1)], "is nested deeper than 15 levels"),
    ],
)
def test_a_contract_that_has_no_table_is_refused(fields: list[Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        contract.parse(record("Any", *fields))


def test_records_nest_as_deep_as_bigquery_takes_them() -> None:
    parsed = contract.parse(record("Any", nested(contract.MAX_NESTING)))
    assert len(list(parsed.walk())) == contract.MAX_NESTING
