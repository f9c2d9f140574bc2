"""What stored tables are made of, as text to compare."""

import hashlib
from collections.abc import Sequence

from ddl import statements
from ddl.stored import StoredTable
from gcp.dataset import Dataset


def fingerprint(dataset: Dataset, tables: Sequence[StoredTable]) -> str:
    """Changes with the SELECT of any of these tables, and with any view that one reads."""
    families = list({table.family.name: table.family for table in tables}.values())
    queries = {query.name: query for query in statements.queries(dataset, families)}
    found: dict[str, str] = {}
    wanted = [table.live for table in tables]
    while wanted:
        name = wanted.pop()
        if name in queries and name not in found:
            found[name] = queries[name].body
            wanted += queries[name].reads
    text = "\n".join(found[name] for name in sorted(found))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
