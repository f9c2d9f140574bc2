"""Which unknown fields look like a field of the contract: misspelt, shortened or in another style.

The check ``unknown_fields`` applies the same rule in SQL.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Mapping

import msgspec

from schemas.family import EventFamily

# Only so much of a field's name is looked at, and only so many fields of one event: a sender of
# long or random names must not slow down the others.
LONGEST_NAME = 128
MOST_FIELDS = 100

# Shorter names are close to too much.
_LEAST_LENGTH = 6
_MOST_EDITS = 2
_NAMES_KEPT = 4096

_PLACE = re.compile(r"\[[0-9]+\]")
_NOT_ALPHANUMERIC = re.compile("[^A-Za-z0-9]")
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ContractNames:
    """The names of a family's contract. Make it once per worker: it remembers what it has found."""

    def __init__(self, family: EventFamily) -> None:
        names = [path for path, _ in family.contract.walk()]
        self._nested = any("." in name for name in names)
        self._nearest = functools.lru_cache(_NAMES_KEPT)(
            functools.partial(_nearest, {name: _spelling(name) for name in names})
        )

    def nearest(self, field: str) -> str | None:
        """The contract's name that an unknown field may stand for, or None.

        Apart from case and signs such as underscores, one of the two begins with the other (of at
        least six characters), or at most two edits lie between them. A field of a record is named
        by its path, the places in arrays aside.
        """
        name = field[:LONGEST_NAME]
        return self._nearest(without_places(name) if self._nested else name)

    def like_known(self, extra: str) -> bool:
        """Whether one of the first 100 fields of this JSON object is close to a name."""
        fields: Iterable[str] = itertools.islice(_FIELDS.decode(extra), MOST_FIELDS)
        return any(self.nearest(field) is not None for field in fields)


def without_places(path: str) -> str:
    """The path of a field without the places in arrays: ``items[2].price`` is ``items.price``."""
    return _PLACE.sub("", path)


def edit_distance(left: str, right: str) -> int:
    """How many characters to insert, delete or replace (Levenshtein)."""
    row = list(range(len(right) + 1))
    for above, a in enumerate(left, 1):
        diagonal, row[0] = row[0], above
        for place, b in enumerate(right, 1):
            edits = min(row[place] + 1, row[place - 1] + 1, diagonal + (a != b))
            diagonal, row[place] = row[place], edits
    return row[-1]


def _nearest(spellings: Mapping[str, str], field: str) -> str | None:
    spelt = _spelling(field)
    found = ((_edits(spelt, known), name) for name, known in spellings.items())
    close = [(edits, name) for edits, name in found if edits is not None]
    return min(close)[1] if close else None


@functools.cache
def _pieces(known: str) -> tuple[str, ...]:
    first, second = len(known) // 3, len(known) * 2 // 3
    return known[:first], known[first:second], known[second:]


def _spelling(name: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", name).lower()


def _edits(spelt: str, known: str) -> int | None:
    """The edits between two spellings, or None where they are not close."""
    if spelt == known:
        return 0
    shorter, longer = sorted((spelt, known), key=len)
    surplus = len(longer) - len(shorter)
    if len(shorter) >= _LEAST_LENGTH and longer.startswith(shorter):
        return surplus
    if len(known) < _LEAST_LENGTH or surplus > _MOST_EDITS:
        return None
    # Two edits leave one of three pieces as it was: quick, and rules out almost all.
    if not any(piece in spelt for piece in _pieces(known)):
        return None
    edits = edit_distance(spelt, known)
    return edits if edits <= _MOST_EDITS else None
