"""A BigQuery dataset: its validated name, and SQL files rendered with it."""

import dataclasses
import functools
import re
import string
from importlib import resources
from typing import Self

from schemas.dates import SQL_VARIABLES

# Google Cloud's rules for project ids and datasets, within the length that Beam takes. A dot may
# stand only in the domain that older projects have before their id (example.com:project).
_DATASET = re.compile(
    r"(?=.{6,63}\.[^.]*$)((?:[a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]*[a-z0-9])\.([A-Za-z0-9_]{1,1024})",
    re.ASCII,
)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A BigQuery dataset whose name is safe to use in SQL."""

    project: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Takes ``PROJECT.DATASET``.

        Raises:
            ValueError: the text does not have that form; the message is one line.
        """
        match = _DATASET.fullmatch(text)
        if match is None:
            raise ValueError(
                "the dataset must be PROJECT.DATASET: a project id of 6 to 63 lower-case letters, "
                "digits and hyphens, and a dataset of letters, digits and underscores"
            )
        return cls(*match.groups())

    def __str__(self) -> str:
        return f"{self.project}.{self.name}"

    def table(self, name: str) -> str:
        """The full id ``PROJECT.DATASET.name``."""
        return f"{self}.{name}"

    def statement(self, package: str, path: str, **variables: str) -> str:
        """A package's SQL file, rendered with this dataset, the shared dates and ``variables``."""
        return _template(package, path).substitute(
            SQL_VARIABLES, project=self.project, dataset=self.name, **variables
        )


@functools.cache
def _template(package: str, path: str) -> string.Template:
    return string.Template(resources.files(package).joinpath(path).read_text(encoding="utf-8"))
