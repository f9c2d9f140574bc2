"""The SQL of stored tables, for tests of the SQL files."""

from ddl import statements, stored
from ddl.statements import Query
from gcp.dataset import Dataset
from schemas.families import FAMILIES

ALL = tuple(FAMILIES.values())


def without_stored(dataset: Dataset, families: statements.Families = ALL) -> list[Query]:
    """The functions and views of these families but those of the stored tables."""
    live = {table.live for table in stored.stored_tables(dataset)}
    queries = statements.queries(dataset, families)
    return [query for query in queries if query.name.removesuffix("_between") not in live]
