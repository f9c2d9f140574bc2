"""Decimals at the limits of NUMERIC."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms import numeric

LARGEST = Decimal("9" * 29 + ".999999999")
TIE = "9" * 29 + ".9999999995"


@pytest.mark.parametrize("text", [TIE, f"-{TIE}", "1E+29", "-1E+29", "NaN", "sNaN", "-Infinity"])
def test_what_does_not_fit(text: str) -> None:
    assert not numeric.fits(Decimal(text))


@pytest.mark.parametrize("sign", ["", "-"])
def test_the_last_number_that_rounds_to_the_largest_one_fits(sign: str) -> None:
    value = Decimal(f"{sign}{TIE[:-1]}49999")
    assert numeric.fits(value)
    assert numeric.rounded(value).copy_abs() == LARGEST


@given(st.from_regex(r"-?[059]{1,40}(\.[0459]{1,40})?(E[+-]?[1-9][0-9]{0,17})?", fullmatch=True))
@example("0E+999999999999999999")
@example("-1E-999999999999999999")
def test_what_fits_can_be_rounded(text: str) -> None:
    value = Decimal(text)
    if numeric.fits(value):
        assert numeric.rounded(value).copy_abs() <= LARGEST
