"""Finds the tables that have rows of persons, and the condition for those to delete."""

from collections.abc import Iterator
from typing import TypeAlias

from google.cloud import bigquery

from gcp import queries
from gcp.dataset import Dataset
from pipeline.erase.persons import Persons
from schemas.tables import DEAD_LETTERS

# A condition on a column; other tables may have ids of other types.
THEIRS = "TO_HEX(SHA256(CAST(`{}` AS STRING))) IN UNNEST(@ids)"
# Seconds. The library's default is ten minutes; here a person waits.

TableRows: TypeAlias = tuple[bigquery.Table, str]
"""A table, and a condition on its rows with the persons' digests as ``@ids``."""


def person_tables(
    client: bigquery.Client, dataset: Dataset, persons: Persons
) -> tuple[list[TableRows], list[TableRows]]:
    """The tables that name persons; those whose rows are found through one of them only."""
    tables = [
        client.get_table(item.reference, **queries.CALL)
        for item in client.list_tables(str(dataset), **queries.CALL)
    ]
    naming = [
        (table, condition)
        for table in tables
        if table.table_type == "TABLE"
        and table.table_id != DEAD_LETTERS
        and (condition := " OR ".join(dict.fromkeys(_naming(table, persons))))
    ]
    facts = {family.table for family in persons.families if family.person is not None}
    sources = [(table, condition) for table, condition in naming if table.table_id in facts]
    linked = [
        (table, " OR ".join(through))
        for table in tables
        if (through := [*_through(table, sources, persons)])
    ]
    return naming, linked


def _naming(table: bigquery.Table, persons: Persons) -> Iterator[str]:
    columns = _columns(table)
    for family in persons.families:
        if family.person is None:
            continue
        where = {family.column(name): value for name, value in family.person_where.items()}
        if {family.column(family.person), *where} <= columns:
            theirs = THEIRS.format(family.column(family.person))
            yield " AND ".join([theirs, *(f"`{name}` = '{where[name]}'" for name in where)])


def _through(table: bigquery.Table, sources: list[TableRows], persons: Persons) -> Iterator[str]:
    for family in persons.families:
        if family.table != table.table_id or family.person_through is None:
            continue
        column = family.column(family.person_through)
        for source, condition in sources:
            if column in _columns(source):
                yield f"`{column}` IN (SELECT `{column}` FROM `{source}` WHERE {condition})"  # noqa: S608


def _columns(table: bigquery.Table) -> set[str]:
    return {field.name for field in table.schema}
