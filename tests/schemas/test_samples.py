"""Every family's samples: messages in, rows and dead letters out."""

import pytest

from schemas.families import FAMILIES
from schemas.family import EventFamily
from tests.schemas import samples
from tests.schemas.samples import Sample


def name(sample: Sample) -> str:
    return f"{sample.family.name}: {sample.name}"


@pytest.mark.parametrize("sample", samples.samples(), ids=name)
def test_a_sample_becomes_the_row_or_the_dead_letter_beside_it(sample: Sample) -> None:
    assert samples.outcome(sample) == sample.expected


@pytest.mark.parametrize("sample", samples.limits(), ids=name)
def test_a_value_is_accepted_up_to_its_limit(sample: Sample) -> None:
    found = samples.outcome(sample)
    assert (found if sample.expected else list(found)) == (sample.expected or ["row"])


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_family_has_samples_of_both_kinds_and_limits_of_every_field(family: EventFamily) -> None:
    own = [sample for sample in samples.samples() if sample.family is family]
    assert {kind for sample in own for kind in sample.expected} == {"row", "dead_letter"}
    covered = samples.fields_with_limits(family)
    assert covered == {path for path, _ in family.contract.walk()}
