"""A family's contract as published in its ``.avsc``: what fields there are, and their limits.

Beside Avro's own types, a field may have the properties ``minLength`` and ``maxLength`` (characters
of a string, elements of an array), ``minimum`` and ``maximum`` (of a number), ``pattern`` (of a
whole string), ``private`` (personal data: a pseudonym replaces a string, anything else stays in a
column that only some may read) and ``privateIf`` (a string that is private where another field has
one of these values).
"""

import dataclasses
import decimal
import enum
import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Protocol, TypeVar

MAX_ID_LENGTH = 128
"""Characters of an id: of an event, a person, a thing."""

NUMERIC_PRECISION, NUMERIC_SCALE = 38, 9
"""https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types"""

MAX_INTEGER_DIGITS = NUMERIC_PRECISION - NUMERIC_SCALE
"""Of a decimal."""

PERSON_IDS = frozenset({"customer_id", "learner_id", "student_id", "teacher_id", "user_id"})
"""What ids of persons are called: a pseudonym replaces them inside of JSON columns too."""

MAX_NESTING = 15
"""BigQuery's limit: https://cloud.google.com/bigquery/docs/nested-repeated#limitations"""


class FieldKind(enum.StrEnum):
    """The type of a field, under the name of its column's type in GoogleSQL."""

    STRING = "STRING"
    BOOL = "BOOL"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    NUMERIC = "NUMERIC"
    TIMESTAMP = "TIMESTAMP"
    DATE = "DATE"
    JSON = "JSON"
    STRUCT = "STRUCT"


_KINDS: Mapping[str, FieldKind] = {
    "string": FieldKind.STRING,
    "enum": FieldKind.STRING,
    "boolean": FieldKind.BOOL,
    "int": FieldKind.INT64,
    "long": FieldKind.INT64,
    "double": FieldKind.FLOAT64,
    "decimal": FieldKind.NUMERIC,
    "timestamp-micros": FieldKind.TIMESTAMP,
    "date": FieldKind.DATE,
    "JSON": FieldKind.JSON,
    "record": FieldKind.STRUCT,
}


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a contract.

    Attributes:
        doc: the sentence about it.
        kind: its type; of an array, that of the elements.
        repeated: whether it is an array.
        nullable: whether it may be null or left out.
        fields: those of a record.
        symbols: the values of an enum.
        min_length, max_length: characters of a string; elements of an array.
        minimum, maximum: of a number.
        pattern: what a whole string must match.
        private: whether it is personal data; a pseudonym replaces a string.
        private_if: the name and the values of a field beside it that make this one private.
    """

    name: str
    doc: str
    kind: FieldKind
    repeated: bool = False
    nullable: bool = False
    fields: tuple["Field", ...] = ()
    symbols: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    minimum: decimal.Decimal | None = None
    maximum: decimal.Decimal | None = None
    pattern: str | None = None
    private: bool = False
    private_if: tuple[str, frozenset[str]] | None = None

    @property
    def has_pseudonym(self) -> bool:
        """Whether a pseudonym replaces the value, or may replace it."""
        return self.kind is FieldKind.STRING and (self.private or self.private_if is not None)


class _Nested(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def fields(self) -> Sequence[Any]: ...


AnyField = TypeVar("AnyField", bound=_Nested)


def walk(fields: Iterable[AnyField], inside: str = "") -> Iterator[tuple[str, AnyField]]:
    """Every field of a contract or a table with its dotted path, a record before its fields."""
    for field in fields:
        path = f"{inside}{field.name}"
        yield path, field
        yield from walk(field.fields, f"{path}.")


@dataclasses.dataclass(frozen=True)
class Contract:
    """The fields of one kind of event, in the order of the file."""

    name: str
    doc: str
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        """The top-level field of this name; raises KeyError."""
        return self._by_name[name]

    @functools.cached_property
    def _by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}

    def walk(self) -> Iterator[tuple[str, Field]]:
        """Every field with its dotted path, a record before its fields."""
        yield from walk(self.fields)


def load(package: str, name: str = "v1.avsc") -> Contract:
    """Reads the contract from a package's file; raises ValueError if we cannot derive types."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    try:
        return parse(json.loads(text, parse_float=decimal.Decimal))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{package}/{name}: {error}") from None


def parse(schema: Mapping[str, Any]) -> Contract:
    """The contract of an Avro record schema.

    Raises:
        ValueError: a type that has no column, or records nested too deeply.
    """
    return Contract(schema["name"], schema["doc"], _fields(schema["fields"], "", 1))


def _fields(declared: Sequence[Mapping[str, Any]], inside: str, level: int) -> tuple[Field, ...]:
    fields = tuple(_field(field, inside, level) for field in declared)
    for field, following in itertools.pairwise(fields):
        if field.nullable and not following.nullable:
            raise ValueError(f"{inside}{following.name} is required: put it before nullable fields")
    return fields


def _field(declared: Mapping[str, Any], inside: str, level: int) -> Field:
    path = f"{inside}{declared['name']}"
    if level > MAX_NESTING:
        raise ValueError(f"{path} is nested deeper than {MAX_NESTING} levels")
    avro, nullable = declared["type"], False
    if isinstance(avro, list):
        if len(avro) != 2 or avro[0] != "null":
            raise ValueError(f'{path}: the only union allowed is ["null", TYPE]')
        avro, nullable = avro[1], True
    repeated = isinstance(avro, dict) and avro["type"] == "array"
    if repeated:
        avro = avro["items"]
    kind = _KINDS.get(_type_name(avro))
    if kind is None:
        raise ValueError(f"{path}: no column can hold {_type_name(avro)}")
    if kind is FieldKind.NUMERIC:
        _check_decimal(avro, path)
    bounds = {
        bound: decimal.Decimal(declared[bound])
        for bound in ("minimum", "maximum")
        if bound in declared
    }
    return Field(
        name=declared["name"],
        doc=declared["doc"],
        kind=kind,
        repeated=repeated,
        nullable=nullable,
        fields=_fields(avro["fields"], f"{path}.", level + 1) if kind is FieldKind.STRUCT else (),
        symbols=tuple(avro["symbols"]) if _type_name(avro) == "enum" else (),
        min_length=declared.get("minLength"),
        max_length=declared.get("maxLength"),
        pattern=declared.get("pattern"),
        private=declared.get("private", False),
        private_if=_condition(declared.get("privateIf")),
        **bounds,
    )


def _condition(declared: Mapping[str, Sequence[str]] | None) -> tuple[str, frozenset[str]] | None:
    if declared is None:
        return None
    [(name, values)] = declared.items()
    return name, frozenset(values)


def _check_decimal(avro: Mapping[str, Any], path: str) -> None:
    if (avro.get("precision"), avro.get("scale")) != (NUMERIC_PRECISION, NUMERIC_SCALE):
        raise ValueError(
            f"{path}: a decimal has precision {NUMERIC_PRECISION} and scale {NUMERIC_SCALE}"
        )


def _type_name(avro: Any) -> str:
    if not isinstance(avro, dict):
        return str(avro)
    return str(avro.get("logicalType") or avro.get("sqlType") or avro["type"])
