"""What is planned for records and arrays, and what is refused, without any server."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import PolicyTagList, SchemaField
from hypothesis import given
from hypothesis import strategies as st

from ddl.actions import Action, RunSql, UpdateTable
from ddl.plan import DestructiveChangeError, Options, Present, Wanted, plan
from ddl.plan_fields import walk
from ddl.table_file import DAY_MS
from gcp.dataset import Dataset

DATASET = Dataset("local-exams", "planned")
TAG = "projects/local-exams/locations/eu/taxonomies/1/policyTags/{}"
SERVED = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}

ID = SchemaField("id", "STRING", "REQUIRED", description="The id.")
CITY = SchemaField("city", "STRING", description="The city.")
ADDRESS = SchemaField("address", "RECORD", description="Where.", fields=[CITY])
PRICE = SchemaField("price", "NUMERIC", description="Of one.")
ITEMS = SchemaField("items", "RECORD", "REPEATED", description="What.", fields=[PRICE])
SCHEMA = [ID, ADDRESS, ITEMS]


def table(schema: Sequence[SchemaField], name: str = "orders_fact") -> bigquery.Table:
    made = bigquery.Table(DATASET.table(name), schema=schema)
    made.description = "Orders."
    made.time_partitioning = bigquery.TimePartitioning(field="event_date")
    return made


def served(declared: bigquery.Table) -> bigquery.Table:
    """The table as BigQuery returns it: with the older names of types."""
    answer = declared.to_api_repr() | {"type": "TABLE"}

    def rename(fields: list[dict[str, Any]]) -> None:
        for field in fields:
            field["type"] = SERVED.get(field["type"], field["type"])
            rename(field.get("fields", []))

    rename(answer["schema"]["fields"])
    return bigquery.Table.from_api_repr(answer)


def planned(
    wanted: bigquery.Table, present: bigquery.Table, options: Options | None = None
) -> list[Action]:
    there = Present(bigquery.Dataset(str(DATASET)), {present.table_id: served(present)}, {})
    return plan(Wanted(DATASET, [wanted], []), there, options or Options())


def changes(
    wanted: Sequence[SchemaField],
    present: Sequence[SchemaField],
    options: Options | None = None,
) -> list[str]:
    return [action.summary for action in planned(table(wanted), table(present), options)]


def with_fields(field: SchemaField, *fields: SchemaField) -> SchemaField:
    return SchemaField.from_api_repr(
        field.to_api_repr() | {"fields": [inner.to_api_repr() for inner in fields]}
    )


def edited(field: SchemaField, **keys: Any) -> SchemaField:
    return SchemaField.from_api_repr(field.to_api_repr() | keys)


ZIP = SchemaField("zip", "STRING", description="Its code.")
TAGS = SchemaField("tags", "STRING", "REPEATED", description="Of one.")


@pytest.mark.parametrize(
    ("wanted", "summary"),
    [
        ([ID, with_fields(ADDRESS, ZIP, CITY), ITEMS], "orders_fact.address.zip STRING"),
        ([ID, ADDRESS, with_fields(ITEMS, PRICE, TAGS)], "orders_fact.items.tags ARRAY<STRING>"),
        ([*SCHEMA, edited(ADDRESS, name="to")], "orders_fact.to STRUCT"),
        ([*SCHEMA, edited(ITEMS, name="more")], "orders_fact.more ARRAY<STRUCT>"),
        ([*SCHEMA, TAGS], "orders_fact.tags ARRAY<STRING>"),
        (
            [ZIP, ID, with_fields(ADDRESS, CITY, ZIP), ITEMS],
            "orders_fact.address.zip STRING, orders_fact.zip STRING",
        ),
    ],
)
def test_what_is_nested_is_added_with_the_schema(wanted: list[SchemaField], summary: str) -> None:
    (action,) = planned(table(wanted), table(SCHEMA))
    assert action.summary == f"add column {summary}"
    assert isinstance(action, UpdateTable)
    assert action.properties == ["schema"]
    # BigQuery keeps the order of the fields that it has.
    sent = [path for path, _ in walk(action.table.schema)]
    kept = [path for path, _ in walk(SCHEMA)]
    assert [path for path in sent if path in kept] == kept
    assert changes(wanted, action.table.schema) == []


def test_a_plain_column_is_still_added_by_a_statement() -> None:
    first, second = planned(table([*SCHEMA, ZIP]), table(SCHEMA))
    assert isinstance(first, RunSql)
    assert first.sql.endswith("ADD COLUMN IF NOT EXISTS zip STRING")
    assert second.summary == "update schema of table orders_fact"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (
            [ID, with_fields(ADDRESS, ZIP), ITEMS],
            "column orders_fact.address.city would be dropped",
        ),
        ([ID, ADDRESS], "column orders_fact.items would be dropped"),
        (
            [ID, ADDRESS, with_fields(ITEMS, edited(PRICE, type="FLOAT64"))],
            "column orders_fact.items.price would change from NUMERIC to FLOAT64",
        ),
        (
            [ID, ADDRESS, with_fields(ITEMS, edited(PRICE, mode="REPEATED"))],
            "column orders_fact.items.price would change from NUMERIC to ARRAY<NUMERIC>",
        ),
        (
            [ID, edited(ADDRESS, mode="REPEATED"), ITEMS],
            "column orders_fact.address would change from STRUCT to ARRAY<STRUCT>",
        ),
        (
            [ID, ADDRESS, edited(ITEMS, mode="NULLABLE")],
            "column orders_fact.items would change from ARRAY<STRUCT> to STRUCT",
        ),
        (
            [ID, with_fields(ADDRESS, edited(CITY, mode="REQUIRED")), ITEMS],
            "column orders_fact.address.city would change from NULLABLE to REQUIRED",
        ),
        (
            [ID, with_fields(ADDRESS, CITY, edited(ZIP, mode="REQUIRED")), ITEMS],
            "new column orders_fact.address.zip must be nullable",
        ),
        (
            [*SCHEMA, with_fields(edited(ADDRESS, name="to"), edited(ZIP, mode="REQUIRED"))],
            "new column orders_fact.to.zip must be nullable",
        ),
    ],
)
def test_destructive_changes_name_the_path(wanted: list[SchemaField], reason: str) -> None:
    with pytest.raises(DestructiveChangeError) as refused:
        changes(wanted, SCHEMA)
    assert str(refused.value) == reason


def test_nested_descriptions_follow() -> None:
    wanted = [ID, with_fields(ADDRESS, edited(CITY, description="A town.")), ITEMS]
    (action,) = planned(table(wanted), table(SCHEMA))
    assert action.summary == "update schema of table orders_fact"
    assert isinstance(action, UpdateTable)
    assert action.table.schema[1].fields[0].description == "A town."


def test_policy_tags_are_set_by_path_and_kept() -> None:
    options = Options(policy_tags={"address.city": TAG.format(1), "city": TAG.format(2)})
    (action,) = planned(table(SCHEMA), table(SCHEMA), options)
    assert isinstance(action, UpdateTable)
    tagged = {path: field.policy_tags for path, field in walk(action.table.schema)}
    assert {path for path, tag in tagged.items() if tag} == {"address.city"}
    assert tagged["address.city"] == PolicyTagList([TAG.format(1)])

    assert changes(SCHEMA, action.table.schema) == []
    more = [ID, with_fields(ADDRESS, CITY, ZIP), ITEMS]
    (action,) = planned(table(more), table(action.table.schema))
    assert isinstance(action, UpdateTable)
    assert [p for p, f in walk(action.table.schema) if f.policy_tags] == ["address.city"]


def expiring(days: int | None, name: str = "orders_fact") -> bigquery.Table:
    made = table(SCHEMA, name)
    made.time_partitioning.expiration_ms = days * DAY_MS if days else None
    return made


@pytest.mark.parametrize(
    ("declared", "option", "present", "expected"),
    [
        (90, None, 90, 90),
        (90, None, 30, 90),
        (90, 400, 90, 400),
        (None, None, 400, 400),
        (None, None, None, None),
    ],
)
def test_a_declared_expiration_holds_where_no_option_is_given(
    declared: int | None, option: int | None, present: int | None, expected: int | None
) -> None:
    options = Options(partition_expiration_days=option)
    actions = planned(expiring(declared), expiring(present), options)
    assert [a.summary for a in actions] == (
        [] if expected == present else ["update time_partitioning of table orders_fact"]
    )
    for action in actions:
        assert isinstance(action, UpdateTable)
        assert expected is not None
        assert action.table.time_partitioning.expiration_ms == expected * DAY_MS


@pytest.mark.parametrize(("present", "before"), [(None, "never"), (400, "400 days")])
def test_a_declared_expiration_shortens_nothing(present: int | None, before: str) -> None:
    message = f"table orders_fact would be shortened from {before} to 90 days"
    with pytest.raises(DestructiveChangeError, match=message):
        planned(expiring(90), expiring(present))


@pytest.mark.parametrize(
    ("facts", "letters", "expected"), [(30, None, 30), (30, 60, 60), (None, 60, 60)]
)
def test_dead_letters_have_an_expiration_of_their_own(
    facts: int | None, letters: int | None, expected: int
) -> None:
    options = Options(partition_expiration_days=facts, dead_letter_expiration_days=letters)
    wanted = [expiring(None, "orders_fact"), expiring(None, "dead_letters")]
    actions = plan(Wanted(DATASET, wanted, []), Present(None, {}, {}), options)
    days = {
        action.table.table_id: action.table.time_partitioning.expiration_ms  # type: ignore[union-attr]
        for action in actions[1:]
    }
    assert days == {"orders_fact": facts and facts * DAY_MS, "dead_letters": expected * DAY_MS}


def test_declared_labels_are_merged_with_those_given() -> None:
    declared, present = table(SCHEMA), table(SCHEMA)
    declared.labels = {"managed_by": "exam-events", "table_type": "fact"}
    present.labels = {"team": "shop", "table_type": "old"}
    (action,) = planned(declared, present, Options(labels={"environment": "dev"}))
    assert action.summary == "update labels of table orders_fact"
    assert isinstance(action, UpdateTable)
    assert action.table.labels == {
        "environment": "dev",
        "managed_by": "exam-events",
        "table_type": "fact",
        "team": "shop",
    }


def fields(depth: int) -> st.SearchStrategy[list[SchemaField]]:
    """Fields of any type and mode, described and tagged or not, records to this depth."""
    leaf = st.sampled_from(["STRING", "INT64", "FLOAT64", "BOOL", "NUMERIC", "DATE", "JSON"])

    @st.composite
    def one(draw: st.DrawFn) -> SchemaField:
        inner = draw(fields(depth - 1)) if depth and draw(st.booleans()) else []
        tag = draw(st.none() | st.integers(1, 3))
        return SchemaField(
            draw(st.sampled_from("abcdef")),
            "RECORD" if inner else draw(leaf),
            draw(st.sampled_from(["NULLABLE", "REPEATED"])),
            description=draw(st.sampled_from(["One.", "Another."])),
            fields=inner,
            policy_tags=PolicyTagList([TAG.format(tag)]) if tag and not inner else None,
        )

    return st.lists(one(), min_size=1, max_size=4, unique_by=lambda field: field.name)


def without_one(schema: Sequence[SchemaField], inside: str = "") -> Iterator[tuple[str, Any]]:
    """(path, the schema without that field), for each field that can be left out."""
    for place, field in enumerate(schema):
        before, after = schema[:place], schema[place + 1 :]
        path = f"{inside}{field.name}"
        if before or after:
            yield path, [*before, *after]
        for inner, left in without_one(field.fields, f"{path}."):
            yield inner, [*before, with_fields(field, *left), *after]


@given(fields(3))
def test_nothing_is_planned_where_nothing_differs(schema: list[SchemaField]) -> None:
    assert changes(schema, schema) == []


@given(fields(3), st.data())
def test_a_field_added_anywhere_is_added_once(
    schema: list[SchemaField], data: st.DataObject
) -> None:
    places = list(without_one(schema))
    if not places:
        return
    path, older = data.draw(st.sampled_from(places))
    first, *rest = planned(table(schema), table(older))
    assert first.summary.startswith(f"add column orders_fact.{path} ")
    # A plain column, added by a statement, is described by a second action.
    (last,) = rest or [first]
    assert isinstance(last, UpdateTable)
    assert {p for p, _ in walk(last.table.schema)} == {p for p, _ in walk(schema)}
    assert changes(schema, last.table.schema) == []
    with pytest.raises(DestructiveChangeError, match=f"column orders_fact.{path} would be dropped"):
        changes(older, schema)
