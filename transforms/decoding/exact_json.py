"""JSON that BigQuery stores without loss: numbers fit int64 or float64, or become strings."""

import decimal
import math
from typing import Any

from schemas.errors import ContractError, ErrorKind

MAX_DEPTH = 100
MAX_NAME_LENGTH = 128
_INT64 = range(-(2**63), 2**63)
# A float64 represents any fifteen digits; the literal has its point besides.
_SURELY_EXACT_LENGTH = 16


class WideNumber(str):
    """A JSON number as written that neither int64 nor float64 represents exactly."""

    __slots__ = ()


def exact_number(literal: str) -> int | float | str:
    """A JSON number, or its text if neither int64 nor float64 represents it exactly.

    Exactly means that the shortest decimal of the float64 is the number as written, which is
    BigQuery's condition for a JSON column (``wide_number_mode => 'exact'``).
    """
    if len(literal) <= 20 and literal.lstrip("-").isdigit() and int(literal) in _INT64:
        return int(literal)
    value = float(literal)
    if len(literal) <= _SURELY_EXACT_LENGTH and literal.lstrip("-").replace(".", "").isdigit():
        return value
    try:
        if math.isfinite(value) and decimal.Decimal(literal) == decimal.Decimal(repr(value)):
            return value
    except decimal.InvalidOperation:  # an exponent of twenty digits
        pass
    return WideNumber(literal)


def exact_tree(value: Any, field: str, depth: int = 2) -> Any:
    """A decoded JSON value with every integer made exact.

    Args:
        value: the value of a field of the document.
        field: the name of that field, for the error.
        depth: the level of ``value`` if it is an object or an array; the document is level 1.

    Raises:
        ContractError: schema_violation if it is nested deeper than 100 levels.
    """
    kind = type(value)
    if kind is int:
        value = value if value in _INT64 else exact_number(str(value))
        kind = type(value)
    if kind is WideNumber:
        return str(value)
    if kind is not dict and kind is not list:
        return value
    if depth > MAX_DEPTH:
        name = field[:MAX_NAME_LENGTH]  # the sender's, and as long as the message may be
        raise ContractError(
            ErrorKind.SCHEMA_VIOLATION, f"{name} is nested deeper than {MAX_DEPTH} levels", name
        )
    if kind is dict:
        return {key: exact_tree(member, field, depth + 1) for key, member in value.items()}
    return [exact_tree(member, field, depth + 1) for member in value]
