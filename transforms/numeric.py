"""Decimals as a NUMERIC column holds them: 29 integer digits and nine decimals.

https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types
"""

import decimal

from schemas.contract import MAX_INTEGER_DIGITS, NUMERIC_PRECISION, NUMERIC_SCALE

_SCALE = decimal.Decimal(1).scaleb(-NUMERIC_SCALE)
_CONTEXT = decimal.Context(prec=NUMERIC_PRECISION, rounding=decimal.ROUND_HALF_EVEN)
# The first number that rounds to thirty integer digits.
_LIMIT = decimal.Decimal("9" * MAX_INTEGER_DIGITS + ".9999999995")


def fits(
    value: decimal.Decimal,
    minimum: decimal.Decimal | None = None,
    maximum: decimal.Decimal | None = None,
) -> bool:
    """Whether a number is finite, within these bounds, and a NUMERIC once rounded."""
    return (
        value.is_finite()
        and value.copy_abs() < _LIMIT  # unlike abs and minus, exact in any context
        and (minimum is None or value >= minimum)
        and (maximum is None or value <= maximum)
    )


def rounded(value: decimal.Decimal) -> decimal.Decimal:
    """The number with nine decimals, rounded half even; it must fit."""
    return value.quantize(_SCALE, context=_CONTEXT)
