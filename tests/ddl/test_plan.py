"""What is planned, and what is refused, without any server."""

import dataclasses
from collections.abc import Callable

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField, TimePartitioning

from ddl import statements, stored
from ddl.actions import DescribeColumns, LoadRows, UpdateTable
from ddl.plan import DestructiveChangeError, Options, Present, Wanted, plan
from ddl.statements import Query
from gcp.dataset import Dataset
from schemas.lateness import SettingsRow

DAY_MS = 24 * 60 * 60 * 1000
DATASET = Dataset("local-exams", "planned")
NOTHING = Present(None, {}, {})
STUDENTS = {
    *("sessions_fact", "session_questions_fact", "question_interaction_fact"),
    "test_summary_fact",
}
STORED = [table.name for table in stored.stored_tables(Dataset("local-exams", "planned"))]


def wanted() -> Wanted:
    return Wanted(
        DATASET,
        statements.tables(DATASET),
        statements.queries(DATASET),
    )


def present(change: Callable[[bigquery.Table], None] = lambda table: None) -> Present:
    """The warehouse as wanted, and events_fact changed."""
    dataset = bigquery.Dataset(str(DATASET))
    dataset.location = "EU"
    tables = {table.table_id: as_served(table) for table in wanted().tables}
    change(tables["events_fact"])
    queries = wanted().queries
    descriptions = {query.name: query.descriptions for query in queries if query.kind == "VIEW"}
    return Present(dataset, tables, {query.name: query.body for query in queries}, descriptions)


def as_served(table: bigquery.Table) -> bigquery.Table:
    """BigQuery answers with its older names of types."""
    legacy = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
    answer = table.to_api_repr() | {"type": "TABLE"}
    for field in answer["schema"]["fields"]:
        field["type"] = legacy.get(field["type"], field["type"])
    return bigquery.Table.from_api_repr(answer)


def summaries(there: Present, options: Options | None = None) -> list[str]:
    return [action.summary for action in plan(wanted(), there, options or Options())]


def edit(table: bigquery.Table, name: str, **changes: str) -> None:
    table.schema = [
        SchemaField.from_api_repr(field.to_api_repr() | changes) if field.name == name else field
        for field in table.schema
    ]


def drop(table: bigquery.Table, name: str) -> None:
    table.schema = [field for field in table.schema if field.name != name]


def add(table: bigquery.Table, field: SchemaField) -> None:
    table.schema = [*table.schema, field]


def expire(table: bigquery.Table, days: int) -> None:
    table.time_partitioning = TimePartitioning(field="event_date", expiration_ms=days * DAY_MS)


def test_everything_is_made_once_in_an_order_that_works() -> None:
    planned = summaries(NOTHING)
    assert planned[:7] == [
        "create dataset local-exams.planned",
        "create table dimension_changes_fact",
        "create table events_fact",
        "create table lateness_settings",
        "create table session_changes_fact",
        "create table dead_letters",
        "create table etl_metadata",
    ]
    assert planned[7:14] == [f"create table {name}" for name in STORED]
    assert planned[14:] == [f"create {q.kind.lower()} {q.name}" for q in wanted().queries]


def test_nothing_is_planned_where_nothing_differs() -> None:
    assert summaries(present()) == []


def test_a_new_column_is_added_documented_and_seen_by_what_reads_it() -> None:
    planned = plan(wanted(), present(lambda table: drop(table, "deadline_ts")), Options())
    assert planned[0].summary == "add column events_fact.deadline_ts TIMESTAMP"
    assert isinstance(planned[1], UpdateTable)
    assert [field.name for field in planned[1].table.schema][-1] == "deadline_ts"
    assert [action.summary for action in planned[2:]] == [
        f"replace {query.kind.lower()} {query.name}" for query in readers("events_fact")
    ]


def readers(name: str) -> list[Query]:
    """The queries that read it, or what reads it."""
    found, names = [], {name}
    for query in wanted().queries:
        if query.reads & names:
            found.append(query)
            names.add(query.name)
    return found


def test_only_what_changed_and_what_reads_it_is_replaced() -> None:
    there = present()
    changed = dict(there.bodies) | {"test_summary_between": "SELECT 1"}
    planned = summaries(dataclasses.replace(there, bodies=changed))
    assert planned == [
        "replace table function test_summary_between",
        "replace view test_summary",
    ]


def test_what_the_server_does_not_tell_is_replaced() -> None:
    there = present()
    untold = dict(there.bodies) | {"events": None}
    assert summaries(dataclasses.replace(there, bodies=untold)) == ["replace view events"]


def test_the_descriptions_of_a_view_s_columns_follow() -> None:
    there = present()
    older = there.descriptions["events"] | {"answer": None}
    descriptions = dict(there.descriptions) | {"events": older}
    (action,) = plan(wanted(), dataclasses.replace(there, descriptions=descriptions), Options())
    assert isinstance(action, DescribeColumns)
    assert action.summary == "update column descriptions of view events"
    assert action.sql is None
    assert action.descriptions["answer"] == "The answer as given."


def test_descriptions_and_labels_follow() -> None:
    there = present(lambda table: edit(table, "answer", description="old"))
    there.tables["dead_letters"].labels = {"team": "exams"}
    actions = plan(wanted(), there, Options(labels={"cost": "42"}))
    assert [action.summary for action in actions] == [
        "update labels of table dimension_changes_fact",
        "update schema, labels of table events_fact",
        "update labels of table lateness_settings",
        "update labels of table session_changes_fact",
        "update labels of table dead_letters",
        *(f"update labels of table {name}" for name in ("etl_metadata", *STORED)),
    ]
    assert isinstance(actions[4], UpdateTable)
    assert actions[4].table.labels == {"team": "exams", "cost": "42"}


def test_a_column_may_become_nullable() -> None:
    there = present(lambda table: edit(table, "answer", mode="REQUIRED"))
    assert summaries(there) == ["update schema of table events_fact"]


@pytest.mark.parametrize(
    ("days", "option", "planned"),
    [(30, None, []), (30, 30, []), (30, 400, ["update time_partitioning of table events_fact"])],
)
def test_expiration_stays_or_grows(days: int, option: int | None, planned: list[str]) -> None:
    there = present(lambda table: expire(table, days))
    for name in ("dead_letters", "session_changes_fact"):
        there.tables[name].time_partitioning.expiration_ms = (option or days) * DAY_MS
    assert summaries(there, Options(partition_expiration_days=option)) == planned


def test_expiration_and_labels_are_part_of_a_new_table() -> None:
    options = Options("EU", partition_expiration_days=30, labels={"team": "exams"})
    dataset, *tables = plan(wanted(), NOTHING, options)[: 1 + len(wanted().tables)]
    assert dataset.dataset.location == "EU"
    for action in tables:
        assert action.table.labels["team"] == "exams"
    made = {action.table.table_id: action.table.time_partitioning for action in tables}
    assert made.pop("lateness_settings") is made.pop("etl_metadata") is None
    stored_tables = [made.pop(name) for name in STORED]  # which outlive what they are made from
    assert {dated.expiration_ms for dated in stored_tables if dated} == {None}
    assert made.pop("dimension_changes_fact").expiration_ms is None
    assert made.keys() == {"events_fact", "session_changes_fact", "dead_letters"}
    assert {partitioning.expiration_ms for partitioning in made.values()} == {30 * DAY_MS}


def test_settings_are_loaded_into_their_table_where_they_differ() -> None:
    rows = [SettingsRow(60, None, "t1")]
    there = present()
    (load,) = plan(wanted(), there, Options(lateness_settings=rows))
    assert isinstance(load, LoadRows)
    assert (load.summary, load.table.table_id) == (
        "load lateness_settings: 1 rows",
        "lateness_settings",
    )
    there = dataclasses.replace(there, lateness_settings=rows)
    assert summaries(there, Options(lateness_settings=rows)) == []
    assert summaries(there) == []
    new = summaries(NOTHING, Options(lateness_settings=rows))
    assert new.index("create table lateness_settings") < new.index("load lateness_settings: 1 rows")


def unpartition(table: bigquery.Table) -> None:
    table.time_partitioning = None


def repartition(table: bigquery.Table) -> None:
    table.time_partitioning = TimePartitioning(field="publish_ts")


def recluster(table: bigquery.Table) -> None:
    table.clustering_fields = ["test_id"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: add(t, SchemaField("mood", "STRING")), "events_fact.mood would be dropped"),
        (lambda t: edit(t, "answer", type="INTEGER"), "answer would change from INT64 to STRING"),
        (lambda t: edit(t, "test_id", mode="NULLABLE"), "from NULLABLE to REQUIRED"),
        (lambda t: drop(t, "test_id"), "new column events_fact.test_id must be nullable"),
        (unpartition, "partitioning of table events_fact"),
        (repartition, "partitioning of table events_fact"),
        (recluster, "clustering of table events_fact"),
    ],
)
def test_destructive_changes_are_refused(
    change: Callable[[bigquery.Table], None], reason: str
) -> None:
    with pytest.raises(DestructiveChangeError, match=reason):
        summaries(present(change))


@pytest.mark.parametrize("days", [None, 31])
def test_a_shortened_expiration_is_refused(days: int | None) -> None:
    there = present(lambda table: expire(table, days) if days else None)
    with pytest.raises(DestructiveChangeError, match="expiration of table events_fact"):
        summaries(there, Options(partition_expiration_days=30))


def test_a_view_in_the_place_of_a_table_is_refused() -> None:
    there = present()
    view = bigquery.Table.from_api_repr(
        there.tables["dead_letters"].to_api_repr() | {"type": "VIEW"}
    )
    tables = dict(there.tables) | {"dead_letters": view}
    with pytest.raises(DestructiveChangeError, match="dead_letters exists and is a VIEW"):
        summaries(Present(there.dataset, tables, there.bodies))


def test_a_dataset_does_not_move() -> None:
    assert summaries(present(), Options(location="eu")) == []
    with pytest.raises(DestructiveChangeError, match="cannot move to US"):
        summaries(present(), Options(location="US"))


TAG = "projects/local-exams/locations/eu/taxonomies/1/policyTags/2"


def test_policy_tags_are_set_in_every_table_that_has_the_column_and_kept() -> None:
    def tagged(actions: list[object]) -> dict[str, list[str]]:
        return {
            action.table.table_id: [f.name for f in action.table.schema if f.policy_tags]
            for action in actions
            if isinstance(action, UpdateTable)
        }

    there = present()
    actions = plan(wanted(), there, Options(policy_tags={"student_id": TAG, "payload": TAG}))
    assert tagged([*actions]) == {
        "events_fact": ["student_id"],
        "dead_letters": ["payload", "student_id"],
        **{name: ["student_id"] for name in STORED if name in STUDENTS},
    }
    for action in actions:
        assert isinstance(action, UpdateTable)
        assert action.properties == ["schema"]
        there.tables[action.table.table_id].schema = action.table.schema  # type: ignore[index]
    assert plan(wanted(), there, Options()) == []
    edit(there.tables["events_fact"], "answer", description="Of old.")
    assert tagged([*plan(wanted(), there, Options())]) == {"events_fact": ["student_id"]}
