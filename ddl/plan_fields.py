"""Compares the columns of a table, nested ones included, with those that it should have."""

from collections.abc import Iterator, Mapping, Sequence

from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from schemas.contract import walk

# The server returns the older names of types.
_STANDARD_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}


class DestructiveChangeError(Exception):
    """The files ask for a change that could lose data or that BigQuery cannot make in place."""


def added(
    wanted: Sequence[SchemaField], present: Sequence[SchemaField], inside: str = ""
) -> Iterator[tuple[str, SchemaField]]:
    """The fields that are not there yet, with their paths; of a new record only the record."""
    known = {field.name: field for field in present}
    for field in wanted:
        path = f"{inside}{field.name}"
        if field.name in known:
            yield from added(field.fields, known[field.name].fields, f"{path}.")
        else:
            yield path, field


def merged(
    wanted: Sequence[SchemaField],
    present: Sequence[SchemaField],
    policy_tags: Mapping[str, str],
    inside: str = "",
) -> list[SchemaField]:
    """The wanted fields with these policy tags, by path, or else with the tags that they have.

    BigQuery keeps the order of the fields that it has; new ones come last.
    """
    known = {field.name: field for field in present}
    order = {name: place for place, name in enumerate(known)}
    fields = []
    for field in sorted(wanted, key=lambda field: order.get(field.name, len(order))):
        path, old = f"{inside}{field.name}", known.get(field.name)
        tag, kept = policy_tags.get(path), old.policy_tags if old else None
        fields.append(
            SchemaField(
                field.name,
                field.field_type,
                field.mode,
                description=field.description,
                fields=merged(field.fields, old.fields if old else (), policy_tags, f"{path}."),
                policy_tags=bigquery.PolicyTagList([tag]) if tag else kept,
            )
        )
    return fields


def details(fields: Sequence[SchemaField]) -> dict[str, tuple[object, ...]]:
    """What can be set of each field, by path."""
    return {
        path: (field.mode, field.description, field.policy_tags) for path, field in walk(fields)
    }


def refuse_destructive(
    wanted: Sequence[SchemaField], present: Sequence[SchemaField], inside: str
) -> None:
    """Compares columns with what they should become; ``inside`` begins their paths.

    Raises:
        DestructiveChangeError: one would be dropped, retyped or narrowed, or added as required. A
            required one may become nullable.
    """
    new = {field.name: field for field in wanted}
    for old in present:
        path = f"column {inside}{old.name}"
        if old.name not in new:
            raise DestructiveChangeError(f"{path} would be dropped")
        field = new.pop(old.name)
        before, after = type_name(old), type_name(field)
        if before != after:
            raise DestructiveChangeError(f"{path} would change from {before} to {after}")
        if field.mode != old.mode and field.mode == "REQUIRED":
            raise DestructiveChangeError(f"{path} would change from {old.mode} to {field.mode}")
        refuse_destructive(field.fields, old.fields, f"{inside}{old.name}.")
    for path, field in walk(list(new.values()), inside):
        if field.mode == "REQUIRED":
            raise DestructiveChangeError(f"new column {path} must be nullable")


def is_nested(field: SchemaField) -> bool:
    """Whether it is a record or an array."""
    return bool(field.fields) or field.mode == "REPEATED"


def type_name(field: SchemaField) -> str:
    """The type as GoogleSQL has it, the fields of a record aside."""
    name = _STANDARD_NAMES.get(field.field_type, field.field_type)
    return f"ARRAY<{name}>" if field.mode == "REPEATED" else name
