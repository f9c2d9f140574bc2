"""The types that the annotation of a struct field allows."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect


def field_types_of(struct: type[msgspec.Struct]) -> dict[str, "FieldType"]:
    """Field name to FieldType, in the order of the struct."""
    return {field.name: FieldType(field.type) for field in msgspec.structs.fields(struct)}


class FieldType:
    """The types that one field accepts.

    Attributes:
        kinds: msgspec's type classes, without unions, None and metadata.
        nullable: whether None is one of them.
        description: what the annotation says is expected.
    """

    def __init__(self, annotation: Any) -> None:
        leaves = list(_leaves(inspect.type_info(annotation)))
        self.nullable = any(isinstance(leaf, inspect.NoneType) for leaf, _ in leaves)
        self.kinds = {type(leaf) for leaf, _ in leaves} - {inspect.NoneType}
        descriptions = dict.fromkeys(text for _, text in leaves if text)
        self.description = " or ".join([*descriptions, *(["null"] if self.nullable else [])])


def _leaves(shape: inspect.Type, inherited: str = "") -> Iterator[tuple[inspect.Type, str]]:
    if isinstance(shape, inspect.Metadata):
        description = (shape.extra_json_schema or {}).get("description", inherited)
        yield from _leaves(shape.type, description)
    elif isinstance(shape, inspect.UnionType):
        for member in shape.types:
            yield from _leaves(member, inherited)
    else:
        yield shape, inherited
