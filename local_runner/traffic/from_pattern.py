"""Texts that match the pattern of a field."""

import random
import re
import string
from collections.abc import Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from schemas.contract import Field

_MORE_REPEATS = 6
_TRIES = 1_000
_ANY = string.ascii_letters + string.digits
_CATEGORIES = {
    op.CATEGORY_DIGIT: string.digits,
    op.CATEGORY_WORD: _ANY + "_",
    op.CATEGORY_SPACE: " ",
}


def matching(field: Field, rng: random.Random) -> str:
    """A text that matches the field's pattern and has a length within its limits.

    Raises:
        ValueError: none was found, or the pattern has a part that is not supported.
    """
    parsed = parser.parse(field.pattern)
    low, high = (0, None) if field.repeated else (field.min_length or 0, field.max_length)
    for _ in range(_TRIES):
        text = _sequence(parsed, rng)
        fits = low <= len(text) and (high is None or len(text) <= high)
        if fits and re.fullmatch(str(field.pattern), text):
            return text
    raise ValueError(f"{field.name}: found no text that matches {field.pattern}")


def _sequence(parts: Iterable[tuple[Any, Any]], rng: random.Random) -> str:
    return "".join(_part(code, value, rng) for code, value in parts)


def _part(code: Any, value: Any, rng: random.Random) -> str:
    if code is op.LITERAL:
        return chr(value)
    if code is op.ANY:
        return rng.choice(_ANY)
    if code is op.AT:
        return ""
    if code is op.IN:
        return rng.choice(_characters(value))
    if code is op.NOT_LITERAL:
        return rng.choice([character for character in _ANY if ord(character) != value])
    if code is op.SUBPATTERN:
        return _sequence(value[-1], rng)
    if code is op.BRANCH:
        return _sequence(rng.choice(value[1]), rng)
    if code in (op.MAX_REPEAT, op.MIN_REPEAT):
        low, high, repeated = value
        count = rng.randint(low, min(high, low + _MORE_REPEATS))
        return "".join(_sequence(repeated, rng) for _ in range(count))
    raise ValueError(f"a pattern with {str(code).lower()} is not supported here")


def _characters(choices: Sequence[tuple[Any, Any]]) -> str:
    found, negated = "", False
    for code, value in choices:
        if code is op.NEGATE:
            negated = True
        elif code is op.LITERAL:
            found += chr(value)
        elif code is op.RANGE:
            low, high = value
            found += "".join(map(chr, range(low, high + 1)))
        elif code is op.CATEGORY and value in _CATEGORIES:
            found += _CATEGORIES[value]
        else:
            raise ValueError(f"a pattern with {str(value).lower()} is not supported here")
    return "".join(character for character in _ANY if character not in found) if negated else found
