"""The fact tables of event families as SQL."""

from collections.abc import Iterable

from gcp.dataset import Dataset
from schemas.family import EventFamily

UNION = "\n    UNION ALL\n    "


def rows(dataset: Dataset, families: Iterable[EventFamily], *columns: str) -> str:
    """Queries joined by UNION ALL: the rows of these families' fact tables.

    Args:
        dataset: where the tables are.
        families: whose tables to read.
        columns: the columns to read beside ``event_family``, under their usual names.
    """
    return UNION.join(
        f"SELECT '{family.name}' AS event_family, "  # noqa: S608 - names of ours
        + ", ".join(f"{family.column(column)} AS {column}" for column in columns)
        + f" FROM `{dataset.table(family.table)}`"
        for family in families
    )
