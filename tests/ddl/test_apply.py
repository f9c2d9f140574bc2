"""The tool against a real BigQuery API (bqemulator), as a library and as a command."""

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from ddl import files, statements
from ddl.__main__ import main
from ddl.actions import DescribeColumns
from ddl.apply import apply, prepare
from ddl.plan import Options
from tests.conftest import Warehouse

DAY_MS = 24 * 60 * 60 * 1000

TAG = "projects/local-exams/locations/eu/taxonomies/1/policyTags/2"


def test_tables_are_made_as_declared(warehouse: Warehouse) -> None:
    options = Options("EU", partition_expiration_days=400, labels={"team": "exams"})
    apply(warehouse.client, warehouse.dataset, options)
    assert warehouse.client.get_dataset(str(warehouse.dataset)).location == "EU"
    for declared in statements.tables(warehouse.dataset):
        table = warehouse.client.get_table(declared.reference)
        assert [f.description for f in table.schema] == [f.description for f in declared.schema]
        assert table.clustering_fields == declared.clustering_fields
        expiration = table.time_partitioning and table.time_partitioning.expiration_ms
        kept = {"dimension_changes_fact", *files.find("stored")}
        expires = declared.time_partitioning and table.table_id not in kept
        assert expiration == (400 * DAY_MS if expires else None)
        assert table.labels == {**declared.labels, "team": "exams"}


def test_a_second_run_replaces_views_and_their_readers_only(warehouse: Warehouse) -> None:
    """bqemulator does not return the query of a view; BigQuery does, and nothing is replaced."""
    apply(warehouse.client, warehouse.dataset)
    again = [action.summary for action in apply(warehouse.client, warehouse.dataset)]
    replaced: list[statements.Query] = []
    for query in statements.queries(warehouse.dataset):
        if query.kind == "VIEW" or query.reads & {other.name for other in replaced}:
            replaced.append(query)
    assert again == [f"replace {query.kind.lower()} {query.name}" for query in replaced]


def test_every_column_of_every_view_is_described(applied: Warehouse) -> None:
    for query in statements.queries(applied.dataset):
        if query.kind == "VIEW":
            view = applied.client.get_table(applied.dataset.table(query.name))
            assert all(field.description for field in view.schema), query.name
            assert {f.name: f.description for f in view.schema} == query.descriptions


def test_a_new_column_is_added_and_reaches_the_views(warehouse: Warehouse) -> None:
    older = statements.table(warehouse.dataset, "events_fact")
    older.schema = [field for field in older.schema if field.name != "deadline_ts"]
    warehouse.client.create_dataset(str(warehouse.dataset))
    warehouse.client.create_table(older)
    done = [action.summary for action in apply(warehouse.client, warehouse.dataset)]
    assert "add column events_fact.deadline_ts TIMESTAMP" in done
    field = warehouse.client.get_table(older.reference).schema[-1]
    assert (field.name, field.field_type, field.mode) == ("deadline_ts", "TIMESTAMP", "NULLABLE")
    assert field.description
    sql = f"SELECT deadline_ts FROM `{warehouse.dataset}.events`"
    assert list(warehouse.client.query(sql).result()) == []


def test_dry_run_shows_the_plan_and_changes_nothing(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "--dataset", str(warehouse.dataset), "--dry_run"]) == 0
    out = capsys.readouterr().out
    assert f"would create dataset {warehouse.dataset}\n" in out
    assert out.endswith(" to create, 0 to change\n")
    with pytest.raises(NotFound):
        warehouse.client.get_dataset(str(warehouse.dataset))


def test_the_command_says_what_it_does(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["apply", "--dataset", str(warehouse.dataset), "--labels", "team=exams,cost=42"]
    assert main([*command, "--partition_expiration_days", "30"]) == 0
    out = capsys.readouterr().out
    assert "create table events_fact\n" in out
    wanted = statements.tables(warehouse.dataset), statements.queries(warehouse.dataset)
    created = 1 + sum(map(len, wanted))
    assert out.endswith(f"\n{created} created, 0 changed\n")
    labels = warehouse.client.get_table(warehouse.dataset.table("dead_letters")).labels
    assert labels == {"team": "exams", "cost": "42"}

    assert main([*command, "--partition_expiration_days", "29"]) == 1
    assert capsys.readouterr().err == (
        "error: refused, nothing was changed: "
        "the partition expiration of table events_fact would be shortened "
        "from 30 days to 29 days\n"
    )


def test_bigquery_s_refusal_is_one_line(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    """A view stands where a function is wanted to read a table."""
    warehouse.client.create_dataset(str(warehouse.dataset))
    name = warehouse.dataset.table("events")
    warehouse.client.query(f"CREATE TABLE `{name}` (x INT64)").result()
    assert main(["apply", "--dataset", str(warehouse.dataset)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["apply"],
        ["apply", "--dataset", "no-dot"],
        ["apply", "--dataset", "local-exams.ok", "--partition_expiration_days", "0"],
        ["apply", "--dataset", "local-exams.ok", "--partition_expiration_days", "x"],
        ["apply", "--dataset", "local-exams.ok", "--labels", "Team=exams"],
        ["apply", "--dataset", "local-exams.ok", "--labels", "team"],
        ["apply", "--dataset", "local-exams.ok", "--policy_tags", "student_id=secret"],
        ["apply", "--dataset", "local-exams.ok", "--policy_tags", f"studnet_id={TAG}"],
        ["destroy"],
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_server_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "127.0.0.1:1")
    assert main(["apply", "--dataset", "local-exams.nowhere"]) == 1
    assert capsys.readouterr().err == (
        "error: BigQuery does not answer at 127.0.0.1:1 (BIGQUERY_EMULATOR_HOST)\n"
    )


def test_operational_views_read_the_region_of_the_dataset(warehouse: Warehouse) -> None:
    """Only planned: bqemulator has no INFORMATION_SCHEMA.JOBS."""
    for existing, location in [(None, "EU"), ("europe-west3", None), (None, None)]:
        if existing:
            dataset = bigquery.Dataset(str(warehouse.dataset))
            dataset.location = existing
            warehouse.client.create_dataset(dataset)
        options = Options(location, operational_views=True)
        actions = prepare(warehouse.client, warehouse.dataset, options)
        texts = {a.summary: a.sql for a in actions if isinstance(a, DescribeColumns) and a.sql}
        region = f"region-{(existing or location or 'US').lower()}"
        for name in ("table_usage", "query_costs"):
            assert f".{region}.INFORMATION_SCHEMA." in texts[f"create view {name}"]
        warehouse.client.delete_dataset(str(warehouse.dataset), not_found_ok=True)
