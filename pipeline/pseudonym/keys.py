"""The option ``--pseudonym_key``: the names of keys, and where their secrets are."""

import argparse
import dataclasses
import re
from collections.abc import Iterable, Sequence

from gcp.arguments import as_text, checked
from gcp.secrets import SecretError, check_reference, is_local, read_secret
from schemas.family import EventFamily
from transforms.pseudonyms import PseudonymChain

_NAME = re.compile("[a-z][a-z0-9_]{0,15}")
OPTION = "--pseudonym_key"
HELP = (
    "replace ids of persons by pseudonyms under this key: SECRET is projects/PROJECT/secrets/NAME/"
    "versions/NUMBER, file:/PATH or env:VARIABLE, read on the workers; after a rotation all keys, "
    "the oldest first"
)


@dataclasses.dataclass(frozen=True)
class PseudonymKeys:
    """The keys of a run in the order of their rotation; holds no secret.

    Attributes:
        references: name of a key and reference of its secret.
    """

    references: tuple[tuple[str, str], ...]

    def read(self) -> PseudonymChain:
        """Reads the secrets.

        Raises:
            SecretError: one cannot be read, or is no key.
        """
        try:
            return PseudonymChain({name: read_secret(where) for name, where in self.references})
        except ValueError as error:
            raise SecretError(f"{OPTION}: {error}") from None

    def identity_key(self) -> bytes:
        """The key for ids of events; raises SecretError."""
        return self.read().identity_key

    @property
    def local(self) -> str | None:
        """A reference to a secret that only this machine has, if there is one."""
        return next((where for _, where in self.references if is_local(where)), None)


@checked
def _references(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for part in text.split(","):
        name, _, secret = part.partition("=")
        if not _NAME.fullmatch(name):
            raise ValueError("must be NAME=SECRET, such as k1=env:PSEUDONYM_KEY")
        found.append((name, check_reference(secret)))
    return tuple(found)


def add_pseudonym_key(parser: argparse.ArgumentParser, text: str = HELP) -> None:
    """Adds the option, which may be given several times."""
    parser.add_argument(
        OPTION, action="append", type=as_text(_references), metavar="NAME=SECRET,...", help=text
    )


def pseudonym_keys(
    given: Sequence[str] | None, families: Iterable[EventFamily] = ()
) -> PseudonymKeys | None:
    """The keys that the option names; None where it is not given.

    Raises:
        ValueError: a name is given twice, or none is and one of the families needs a key.
    """
    references = tuple(pair for text in given or () for pair in _references(text))
    names = [name for name, _ in references]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{OPTION}: {name} is given twice")
    if references:
        return PseudonymKeys(references)
    for family in families:
        if family.needs_pseudonyms:
            raise ValueError(f"events of {family.name} need {OPTION} NAME=SECRET")
    return None
