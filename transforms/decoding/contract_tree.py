"""A contract's fields with the types that their values must have, as a tree to walk."""

import dataclasses
import datetime as dt
import typing
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec
from msgspec import inspect

from schemas import structs
from schemas.contract import Field, FieldKind
from schemas.errors import ContractError, ErrorKind
from schemas.family import EventFamily
from transforms import numeric


@dataclasses.dataclass(frozen=True)
class Node:
    """One field.

    Attributes:
        type: of its value, null included where it is allowed.
        element: of one element of an array; of another field, as ``type``.
        members: the fields of a record.
    """

    field: Field
    type: Any
    element: Any
    members: Mapping[str, "Node"]

    def check(self, value: Any, path: str) -> None:
        """Raises ContractError (schema_violation) for the first fault in a decoded value."""
        if not self.field.repeated or value is None:
            self._check_one(value, path, self.type)
            return
        bounds = msgspec.Meta(min_length=self.field.min_length, max_length=self.field.max_length)
        try:
            msgspec.convert(value, typing.Annotated[list[Any], bounds])
        except msgspec.ValidationError:
            _reject(path, self.type)
        for place, element in enumerate(value):
            self._check_one(element, f"{path}[{place}]", self.element)

    def _check_one(self, value: Any, path: str, expected: Any) -> None:
        if self.members and isinstance(value, dict):
            check_members(self.members, value, f"{path}.")
            return
        try:
            converted = msgspec.convert(value, expected)
        except msgspec.ValidationError:
            _reject(path, expected)
        if converted is not None and not self._fits(converted):
            _reject(path, expected)

    def _fits(self, value: Any) -> bool:
        """What the type of a value leaves open."""
        if self.field.kind is FieldKind.NUMERIC:
            return numeric.fits(value, self.field.minimum, self.field.maximum)
        if self.field.kind is FieldKind.TIMESTAMP:
            return _is_in_utc_years(value)
        return True


def check_members(members: Mapping[str, Node], record: Mapping[str, Any], inside: str) -> None:
    """Raises schema_violation for the first field, in contract order, that does not fit.

    Args:
        members: the fields of the record.
        record: its known values.
        inside: the path of the record, with a dot at its end; empty for the event.
    """
    for name, node in members.items():
        path = f"{inside}{name}"
        if name in record:
            node.check(record[name], path)
        elif not node.field.nullable:
            raise ContractError(ErrorKind.SCHEMA_VIOLATION, f"{path} is required", path)


def tree(family: EventFamily) -> Mapping[str, Node]:
    """The fields of a family's events by name, in the order of the contract."""
    return _nodes(family.contract.fields, family.event)


def _nodes(fields: typing.Iterable[Field], struct: type[msgspec.Struct]) -> Mapping[str, Node]:
    types = {field.name: field.type for field in msgspec.structs.fields(struct)}
    return {field.name: _node(field, types[field.name]) for field in fields}


def _node(field: Field, annotation: Any) -> Node:
    inner = _struct_in(annotation) if field.fields else None
    members = _nodes(field.fields, inner) if inner else {}
    element = annotation
    if field.repeated:
        element = (
            typing.Annotated[inner, msgspec.Meta(description=structs.element_description(field))]
            if inner
            else structs.leaf(field)
        )
    return Node(field, annotation, element, members)


def _struct_in(annotation: Any) -> type[msgspec.Struct] | None:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    return next(filter(None, map(_struct_in, typing.get_args(annotation))), None)


def _is_in_utc_years(moment: dt.datetime) -> bool:
    try:
        moment.astimezone(dt.UTC)
    except OverflowError:
        return False
    return True


def _reject(path: str, expected: Any) -> NoReturn:
    text = describe(expected)
    raise ContractError(ErrorKind.SCHEMA_VIOLATION, f"{path} must be {text}", path) from None


def describe(annotation: Any) -> str:
    """What the descriptions in a type say that a value must be."""
    texts = dict.fromkeys(_descriptions(inspect.type_info(annotation)))
    return " or ".join(texts)


def _descriptions(shape: inspect.Type, inherited: str = "") -> typing.Iterator[str]:
    if isinstance(shape, inspect.Metadata):
        text = (shape.extra_json_schema or {}).get("description", inherited)
        yield from _descriptions(shape.type, text)
    elif isinstance(shape, inspect.UnionType):
        plain = [member for member in shape.types if not isinstance(member, inspect.NoneType)]
        for member in plain:
            yield from _descriptions(member, inherited)
        if len(plain) < len(shape.types):
            yield "null"
    elif inherited:
        yield inherited
