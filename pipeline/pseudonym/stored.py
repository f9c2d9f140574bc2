"""Where tables have ids of persons or their pseudonyms, and how a stored value is replaced."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from google.cloud import bigquery

from schemas.contract import PERSON_IDS, Field, walk
from schemas.families import FAMILIES
from transforms.pseudonyms import PseudonymChain, key_of, names_person
from transforms.rows import json_text

_TABLE_FAMILIES = {family.table: family for family in FAMILIES.values()}
# The originals, which stay so that a message can be replayed.
_KEPT = frozenset({"attributes"})


@dataclasses.dataclass(frozen=True)
class StoredIds:
    """A column with ids of persons or pseudonyms.

    Attributes:
        column: its name.
        is_json: whether they are inside of JSON.
        only_if: a condition on the row; empty for none.
    """

    column: str
    is_json: bool
    only_if: str = ""

    @property
    def text(self) -> str:
        """The value as a STRING, in SQL."""
        return f"TO_JSON_STRING({self.column})" if self.is_json else self.column

    @property
    def as_column(self) -> str:
        """The new value of a replacement ``r``, in SQL."""
        return "PARSE_JSON(r.after)" if self.is_json else "r.after"

    def wanted(self, replaces: str | None) -> str:
        """The condition for rows whose value may have to be replaced, in SQL."""
        pseudonym = "[a-z][a-z0-9_]{0,15}" if replaces is None else replaces
        pseudonym += r"\.[0-9a-f]{32}"
        if self.is_json:
            # Which ids a document has is decided when it is read.
            found = (
                f"{self.column} IS NOT NULL"
                if replaces is None
                else f"REGEXP_CONTAINS({self.text}, r'\"{pseudonym}\"')"
            )
        else:
            found = f"REGEXP_CONTAINS({self.column}, r'^{pseudonym}$')"
            if replaces is None:
                found = f"{self.column} != '' AND NOT {found}"
        return f"({found} AND {self.only_if})" if self.only_if else f"({found})"

    def new(self, text: str, chain: PseudonymChain, replaces: str | None) -> str:
        """What replaces a stored value; the same where nothing does."""
        if not self.is_json:
            return chain.pseudonym(text) if key_of(text) == replaces else text
        document = json.loads(text)
        changed = _document(document, chain, replaces)
        return text if changed == document else json_text(changed)


def ids_in(table: bigquery.Table) -> Iterator[StoredIds]:
    """The columns of a table that have ids of persons.

    Raises:
        ValueError: it has them inside of records, which cannot be rewritten.
    """
    family = _TABLE_FAMILIES.get(table.table_id)
    declared: dict[str, Field] = {}
    if family is not None:
        for path, each in walk(family.contract.fields):
            if each.has_pseudonym and ("." in path or each.repeated):
                raise ValueError(f"table {table.table_id}: {path} is inside of a record or array")
        declared = {family.column(field.name): field for field in family.contract.fields}
    for column in table.schema:
        name, field = column.name, declared.get(column.name)
        if column.field_type == "JSON" and name not in _KEPT:
            yield StoredIds(name, is_json=True)
        elif field is not None and field.private_if is not None:
            beside, values = field.private_if
            texts = ", ".join(f"'{value}'" for value in sorted(values))
            yield StoredIds(name, is_json=False, only_if=f"{beside} IN ({texts})")
        elif column.field_type == "STRING" and (
            name in PERSON_IDS or (field is not None and field.has_pseudonym)
        ):
            yield StoredIds(name, is_json=False)


def _document(value: Any, chain: PseudonymChain, replaces: str | None, name: str = "") -> Any:
    match value:
        case dict():
            return {key: _document(each, chain, replaces, key) for key, each in value.items()}
        case list():
            return [_document(each, chain, replaces) for each in value]
        case str() if value and key_of(value) == replaces:
            is_id = replaces is not None or names_person(name)
            return chain.pseudonym(value) if is_id else value
        case int() if replaces is None and type(value) is int and names_person(name):
            return chain.pseudonym(str(value))
        case _:
            return value
