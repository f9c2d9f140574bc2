"""Renders the checks of a derived family from the limits of its contract."""

import dataclasses
import decimal
from collections.abc import Iterator, Mapping

from ddl.render.sql import column_name, fill, indented, literal
from schemas.contract import Field, FieldKind
from schemas.family import EventFamily

_NULLS = "-- fail: A fact has a value in every field that the contract requires."
_RANGES = (
    "-- fail: Every value of a fact lies within what the contract allows.\n"
    "-- Private fields are left out: a pseudonym may stand in their place."
)


def texts(family: EventFamily, pieces: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name without the family's prefix, text) of each check; ``pieces`` are for all templates."""
    nulls, ranges = indented(_nulls(family)), indented(_ranges(family))
    yield "nulls", fill("facts", header=_NULLS, findings=nulls, **pieces)
    yield "ranges", fill("facts", header=_RANGES, findings=ranges, **pieces)
    yield "grain", fill("grain", **pieces)
    if family.unknown == "keep":
        yield "unknown_fields", fill("unknown_fields", **pieces)


def _nulls(family: EventFamily) -> Iterator[str]:
    """What NOT NULL of a column does not say."""
    # First, since bqemulator takes an array whose first element holds a subquery for ARRAY(SELECT).
    yield _finding("contract_version", "contract_version IS NULL")
    for value in _values(family):
        if value.inside and not (value.field.nullable or value.field.repeated):
            missing = f"{value.inside} IS NOT NULL AND {value.sql} IS NULL"
            yield _finding(value.path, value.anywhere(missing))


def _ranges(family: EventFamily) -> Iterator[str]:
    for value in _values(family):
        if not value.field.private:
            for beyond in _beyond_limits(family, value):
                yield _finding(value.path, value.anywhere(beyond))
    partition_time = column_name(family.column(family.event_time or "publish_ts"))
    yield _finding("event_date", f"event_date != DATE({partition_time}, 'UTC')")


@dataclasses.dataclass(frozen=True)
class _Value:
    """A field at its place in a row.

    Attributes:
        path: of the contract.
        sql: the field, given the rows of ``arrays``.
        inside: the record that holds it; empty at the top level.
        arrays: FROM items, one for each array of records that it is in.
    """

    field: Field
    path: str
    sql: str
    inside: str = ""
    arrays: tuple[str, ...] = ()

    def anywhere(self, condition: str) -> str:
        """Whether the condition holds, in any element of the arrays."""
        return _exists(", ".join(self.arrays), condition) if self.arrays else condition


def _values(family: EventFamily) -> Iterator[_Value]:
    for field in family.contract.fields:
        name = column_name(family.column(field.name))
        yield from _walk(_Value(field, field.name, name), 1)


def _walk(value: _Value, level: int) -> Iterator[_Value]:
    """The value, and those in it if it is a record."""
    yield value
    inside, arrays = value.sql, value.arrays
    if value.field.repeated and value.field.fields:
        inside = f"element_{level}"
        arrays = (*arrays, f"UNNEST({value.sql}) AS {inside}")
    for field in value.field.fields:
        path, sql = f"{value.path}.{field.name}", f"{inside}.{column_name(field.name)}"
        yield from _walk(_Value(field, path, sql, inside, arrays), level + 1)


def _beyond_limits(family: EventFamily, value: _Value) -> Iterator[str]:
    """Conditions, each true of a value beyond one limit of its field."""
    field = value.field
    if not field.repeated:
        yield from _beyond_limits_of_one(family, value)
        return
    length = f"ARRAY_LENGTH({value.sql})"
    if beyond := _beyond(length, field.min_length, field.max_length):
        # BigQuery stores an array that is null as one without elements.
        yield f"{length} > 0 AND {beyond}" if field.nullable else beyond
    if not field.fields:
        for beyond in _beyond_limits_of_one(family, dataclasses.replace(value, sql="one")):
            yield _exists(f"UNNEST({value.sql}) AS one", beyond)


def _beyond_limits_of_one(family: EventFamily, value: _Value) -> Iterator[str]:
    field = value.field
    if field.symbols:
        unwanted = family.dead_letter_types if value.path == "event_type" else ()
        symbols = ", ".join(f"'{s}'" for s in field.symbols if s not in unwanted)
        yield f"{value.sql} NOT IN ({symbols})"
    elif field.kind is FieldKind.STRING and not field.repeated:
        length = f"CHAR_LENGTH({value.sql})"
        if beyond := _beyond(length, field.min_length, field.max_length):
            yield beyond
    elif field.kind in (FieldKind.INT64, FieldKind.FLOAT64, FieldKind.NUMERIC):
        low, high = (_number(field, bound) for bound in (field.minimum, field.maximum))
        if beyond := _beyond(value.sql, low, high):
            yield beyond
    if field.pattern is not None:
        whole = literal(rf"\A(?:{field.pattern})\z")
        yield f"NOT REGEXP_CONTAINS({value.sql}, {whole})"


def _beyond(value: str, low: int | str | None, high: int | str | None) -> str | None:
    if low is not None and high is not None:
        return f"{value} NOT BETWEEN {low} AND {high}"
    if high is not None:
        return f"{value} > {high}"
    return None if low is None else f"{value} < {low}"


def _number(field: Field, bound: decimal.Decimal | None) -> str | None:
    if bound is None:
        return None
    return f"NUMERIC '{bound:f}'" if field.kind is FieldKind.NUMERIC else f"{bound:f}"


def _finding(name: str, condition: str) -> str:
    return f"IF({condition}, '{name}', NULL)"


def _exists(arrays: str, condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM {arrays} WHERE {condition})"  # noqa: S608
