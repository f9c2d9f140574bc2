"""One contract, written three times: Avro schema, struct and DDL. Here they are held together.

That our reading of the DDL is Google's, and that every column is described, tests/ddl shows.
"""

import inspect
import json
from importlib import resources
from typing import Any

import fastavro
import msgspec
import pytest
from msgspec import inspect as types

from ddl import files, statements
from gcp.dataset import Dataset
from schemas.dead_letter import DeadEvent
from schemas.envelope import ENVELOPE
from schemas.exam_event.event import EventType, ExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.families import FAMILIES
from schemas.lateness import DeadlineSource, LateStatus
from tests.support.field_types import FieldType, field_types_of
from tests.transforms import builders
from transforms.dead_letters import DeadLetterRow
from transforms.rows import columns

DATASET = Dataset("local-exams", "contract")
AVSC = json.loads(resources.files("schemas").joinpath("exam_event/v1.avsc").read_text())
AVRO_FIELDS = {field["name"]: field for field in AVSC["fields"]}
SHAPES = field_types_of(ExamEvent)
COLUMNS = {field.name: field for field in statements.table(DATASET, "events_fact").schema}
RENAMED = EXAM_EVENT.renamed

# msgspec's type classes -> Avro's word -> BigQuery's word. A flag is bool, or the integers 0 and 1.
WORDS = {
    frozenset({types.StrType}): ("string", "STRING"),
    frozenset({types.EnumType}): ("enum", "STRING"),
    frozenset({types.LiteralType}): ("enum", "STRING"),
    frozenset({types.DateTimeType}): ("timestamp-micros", "TIMESTAMP"),
    frozenset({types.BoolType, types.LiteralType}): ("boolean", "BOOL"),
    frozenset({types.IntType}): ("long", "INT64"),
    frozenset({types.DictType}): ("JSON", "JSON"),
}


def avro_word(field: dict[str, Any]) -> tuple[str, bool]:
    """The most telling word of an Avro field's type, and whether it takes null."""
    declared = field["type"]
    nullable = isinstance(declared, list)
    if nullable:
        null, declared = declared
        assert null == "null", "null comes first, since it is the default"
    if isinstance(declared, str):
        return declared, nullable
    return declared.get("logicalType") or declared.get("sqlType") or declared["type"], nullable


def words(shape: FieldType) -> tuple[str, str]:
    return WORDS[frozenset(shape.kinds)]


def test_the_avro_schema_is_one() -> None:
    parsed = fastavro.parse_schema(AVSC)
    assert parsed["name"] == "exam_events.v1.ExamEvent"


def test_avro_and_struct_have_the_same_fields_in_the_same_order() -> None:
    assert list(AVRO_FIELDS) == list(ExamEvent.__struct_fields__)


def test_columns_of_the_contract_stand_in_its_order() -> None:
    own_names = [name for name in SHAPES if name not in RENAMED]
    assert [name for name in COLUMNS if name in own_names] == own_names


@pytest.mark.parametrize("name", SHAPES)
def test_avro_and_struct_agree_on_type_and_nullability(name: str) -> None:
    word, nullable = avro_word(AVRO_FIELDS[name])
    assert word == words(SHAPES[name])[0]
    assert nullable == SHAPES[name].nullable
    if nullable:
        assert AVRO_FIELDS[name]["default"] is None
    else:
        assert "default" not in AVRO_FIELDS[name]


@pytest.mark.parametrize("name", SHAPES)
def test_table_and_struct_agree_on_type_and_nullability(name: str) -> None:
    column = COLUMNS[RENAMED.get(name, name)]
    assert column.field_type == words(SHAPES[name])[1]
    assert column.is_nullable == SHAPES[name].nullable


@pytest.mark.parametrize("field", msgspec.structs.fields(ExamEvent), ids=lambda field: field.name)
def test_a_field_is_required_where_it_is_not_nullable(field: Any) -> None:
    assert field.required == (not SHAPES[field.name].nullable)
    assert field.required or field.default is None


def test_event_types_are_the_enum_symbols() -> None:
    assert AVRO_FIELDS["event_type"]["type"]["symbols"] == [kind.value for kind in EventType]


def test_the_event_type_column_tells_of_every_event_type() -> None:
    assert all(kind in COLUMNS["event_type"].description for kind in EventType)


@pytest.mark.parametrize("column", ["late_status", "deadline_source"])
def test_lateness_columns_tell_of_every_word(column: str) -> None:
    vocabulary = {"late_status": LateStatus, "deadline_source": DeadlineSource}[column]
    assert all(word in COLUMNS[column].description for word in vocabulary)


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_is_documented(name: str) -> None:
    assert AVRO_FIELDS[name]["doc"].endswith(".")
    assert SHAPES[name].description not in ("", "null")
    assert SHAPES[name].description != " or null"


def test_rows_fill_every_column_of_the_fact_table() -> None:
    assert sorted(columns(EXAM_EVENT)) == sorted(COLUMNS)


def test_a_renamed_field_does_not_fill_the_column_of_its_own_name() -> None:
    assert RENAMED == {"is_late_submission": "client_is_late_submission"}
    sent = builders.accepted(is_late_submission=True)
    row = builders.row_dict(sent)
    assert row["client_is_late_submission"] is True
    assert row["is_late_submission"] is None


def test_dead_letter_rows_fill_every_column_of_their_table() -> None:
    declared = statements.table(DATASET, "dead_letters").schema
    assert list(DeadLetterRow._fields) == [column.name for column in declared]
    assert all(column.is_nullable for column in declared)


def test_what_a_dead_event_keeps_has_the_types_of_the_contract() -> None:
    declared = {column.name: column for column in statements.table(DATASET, "dead_letters").schema}
    for name, shape in field_types_of(DeadEvent).items():
        assert shape.kinds == SHAPES[name].kinds - {types.EnumType}
        assert declared[name].field_type == words(SHAPES[name])[1]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_has_what_the_steps_rely_on(family: Any) -> None:
    shapes = field_types_of(family.event)
    assert shapes["event_id"].kinds == {types.StrType}
    if family.event_time is not None:
        assert shapes[family.event_time].kinds == {types.DateTimeType}
        assert not shapes[family.event_time].nullable
    assert not shapes["event_type"].nullable
    assert family.renamed.keys() <= shapes.keys() | ENVELOPE.keys()
    assert family.not_in_views <= shapes.keys()
    assert all(name in FAMILIES for name in family.needs)
    assert family.event_types
    assert {family.person, family.route_by} <= shapes.keys() | {None}
    assert set(family.clustering) <= set(columns(family))
    assert family.table in files.find("tables")
    assert FAMILIES[family.name] is family
    assert family.event.__struct_config__.forbid_unknown_fields
    assert not any(
        parameter.kind is parameter.KEYWORD_ONLY
        for parameter in inspect.signature(family.event).parameters.values()
    )


def test_an_event_is_written_by_avro_as_by_json() -> None:
    """The published schema takes what the struct takes: one full event through fastavro."""
    event = builders.event(question_id="q1", is_correct_answer=True, session_start_ts=builders.NOW)
    record = msgspec.structs.asdict(event) | {"event_type": event.event_type.value}
    assert fastavro.validate(record, fastavro.parse_schema(AVSC), raise_errors=True)
