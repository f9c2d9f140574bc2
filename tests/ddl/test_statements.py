"""The SQL files: what may stand in them, and what Google's analyzer says about them."""

import re
import string
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ddl import files, plan_fields, statements
from ddl.table_file import DAY_MS
from gcp.dataset import Dataset
from schemas.dates import EARLIEST_DATE, LATEST_DATE, MARGIN_DAYS, SQL_VARIABLES
from schemas.exam_event.event import ExamEvent
from schemas.families import FAMILIES
from tests.conftest import Warehouse
from tests.ddl.googlesql import GoogleSql, declared_columns
from tests.ddl.parcels import PARCELS
from tests.ddl.stored_sql import without_stored
from tests.ddl.view_names import VIEWS, VIEWS_WITHOUT_A_FUNCTION

DDL = Path(statements.__file__).parent
FILES = sorted(DDL.rglob("*.sql"))
COMMANDS = sorted(DDL.parent.glob("pipeline/sql/*.sql"))
ALL = tuple(FAMILIES.values())
CONTRACT = [field.name for field in msgspec.structs.fields(ExamEvent)]


def test_every_file_is_found() -> None:
    found = {
        path
        for kind in ("tables", "views", "checks", "operations", "history", "stored", "runs")
        for path in files.find(kind).values()
    }
    assert {path.relative_to(DDL).as_posix() for path in FILES} == found


def test_each_family_has_a_folder_with_its_fact_table() -> None:
    for family in FAMILIES.values():
        path = f"{family.name}/tables/{family.table}.sql"
        assert files.find("tables")[family.table] == path


def test_two_files_of_one_name_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for family in ("exam_event", "shared"):
        (tmp_path / family / "checks").mkdir(parents=True)
        (tmp_path / family / "checks" / "grain.sql").touch()
    monkeypatch.setattr(files.resources, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=r"exam_event/checks/grain\.sql and ddl/shared/checks"):
        files._find.__wrapped__("checks")


def test_a_built_package_holds_every_sql_file(tmp_path: Path) -> None:
    """What ``pip install`` and a Dataflow worker get."""
    build = [sys.executable, "setup.py", "-q", "build", "--build-base", str(tmp_path / "work")]
    built = tmp_path / "built"
    subprocess.run(
        [*build, "build_py", "--build-lib", str(built)],
        cwd=DDL.parent,
        check=True,
        capture_output=True,
    )
    packaged = {path.relative_to(built / "ddl").as_posix() for path in built.glob("ddl/**/*.sql")}
    assert packaged == {path.relative_to(DDL).as_posix() for path in FILES}


def test_terraform_applies_the_ddl_again_when_any_table_or_view_changes() -> None:
    terraform = (DDL.parent / "deploy/terraform/warehouse.tf").read_text()
    [pattern] = re.findall(r'fileset\(local\.repo, "(.*?)"\)', terraform)
    assert "{stored,tables,views}" in pattern
    watched = {
        path
        for kind in ("stored", "tables", "views")
        for path in DDL.parent.glob(pattern.replace("{stored,tables,views}", kind))
    }
    assert watched == {path for path in FILES if path.parent.name in ("stored", "tables", "views")}


def query(name: str, *reads: str) -> statements.Query:
    return statements.Query("VIEW", name, "", "", frozenset(reads))


def test_a_view_comes_after_what_it_reads() -> None:
    chain = [query("a", "b", "events_fact"), query("b", "c"), query("c", "dead_letters")]
    assert [q.name for q in statements.in_order(chain)] == ["c", "b", "a"]


def test_views_that_read_each_other_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"in a circle: .*(a -> b|b -> a)"):
        statements.in_order([query("a", "b"), query("b", "a"), query("c")])


def test_a_view_that_reads_what_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="a reads evnts, which no SQL file defines"):
        statements.in_order([query("a", "evnts")])


@pytest.mark.parametrize(
    "path",
    [*(path for path in FILES if path.parent.name != "stored"), *COMMANDS],
    ids=lambda path: path.stem,
)
def test_only_the_dataset_the_shared_dates_and_the_contract_are_filled_in(path: Path) -> None:
    text = path.read_text()
    used = set(string.Template(text).get_identifiers())
    shared = {*SQL_VARIABLES, "contract_names"} if path in FILES else {*SQL_VARIABLES}
    is_operation = path.parent.name == "operations"
    shared |= {"region", "tables"} if is_operation else set()
    shared |= {"older_dataset"} if path.parent.name == "history" else set()
    shared |= {"arrived", "around"} if path.parent.name == "runs" else set()
    assert {"project", "dataset"} <= used <= {"project", "dataset"} | shared
    quoted = re.sub(r"`\$\{(project\}\.\$\{dataset|older_dataset)\}\.\w+`", "", text)
    if is_operation:
        quoted = re.sub(r"`\$\{project\}\.\$\{region\}\.INFORMATION_SCHEMA\.\w+`", "", quoted)
        quoted = re.sub(r"'\$\{(project|dataset)\}'", "", quoted)
    for name in shared:
        quoted = quoted.replace(f"${{{name}}}", "")
    # A dollar sign of a contract's texts, and reserved words that name a column.
    quoted = re.sub(r"\$\$|`[a-z]+`", "", quoted)
    assert "$" not in quoted
    assert "`" not in quoted


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_margin_and_the_open_dates_stand_in_no_file(path: Path) -> None:
    text = path.read_text()
    assert not re.search(rf"\b{MARGIN_DAYS} DAY|{EARLIEST_DATE}|{LATEST_DATE}", text)


@pytest.mark.parametrize("name", files.find("tables"))
def test_a_table_is_read_as_google_reads_it(
    name: str, googlesql: GoogleSql, dataset: Dataset
) -> None:
    read_as_google_reads(name, googlesql, dataset)


@pytest.mark.usefixtures("parcels")
def test_a_table_with_records_is_read_as_google_reads_it(
    parcels_sql: GoogleSql, dataset: Dataset
) -> None:
    read_as_google_reads("parcels_fact", parcels_sql, dataset)
    table = statements.table(dataset, "parcels_fact")
    assert table.time_partitioning.expiration_ms == 90 * DAY_MS
    assert table.labels == {"managed_by": "exam-events", "table_type": "fact"}
    assert "legs.scans.end" in statements.columns([PARCELS])


def read_as_google_reads(name: str, googlesql: GoogleSql, dataset: Dataset) -> None:
    table = statements.table(dataset, name)
    parsed = googlesql.analyze(statements.render(dataset, "tables", name))
    assert parsed.name_path == [f"{dataset}.{name}"]
    assert declared_columns(parsed) == [
        (path, field.field_type.replace("RECORD", "STRUCT"), field.mode, field.description)
        for path, field in plan_fields.walk(table.schema)
    ]
    partition = table.time_partitioning and table.time_partitioning.field
    assert [c.column.name for c in parsed.partition_by_list] == ([partition] if partition else [])
    assert [c.column.name for c in parsed.cluster_by_list] == (table.clustering_fields or [])
    options = {option.name: option.value for option in parsed.option_list}
    assert table.description == options["description"].value.value.string_value
    days = options.get("partition_expiration_days")
    expiration = table.time_partitioning and table.time_partitioning.expiration_ms
    assert expiration == (days.value.value.int64_value * DAY_MS if days else None)
    assert ("labels" in options) == bool(table.labels)


def test_events_fact_holds_the_contract_first(dataset: Dataset) -> None:
    table = statements.table(dataset, "events_fact")
    names = [field.name for field in table.schema]
    # BigQuery adds a column at the end: a table made anew has the order of one that was altered.
    *first, last = CONTRACT
    assert names[: len(first) + 1] == [*first, "extra"]
    assert names[-1] == last == "completion_status"
    assert [field.name for field in table.schema if field.mode == "REQUIRED"] == [
        "event_id",
        "event_type",
        "test_id",
        "student_id",
        "session_id",
        "client_ts",
        "event_date",
        "publish_ts",
        "ingest_ts",
        "message_id",
        "late_status",
        "pipeline_version",
    ]


@pytest.mark.parametrize("name", files.find("tables"))
def test_every_column_is_described_and_none_hides_an_argument(name: str, dataset: Dataset) -> None:
    for _, field in plan_fields.walk(statements.table(dataset, name).schema):
        assert field.description
        # BigQuery would take the name for the column, and every date would pass.
        assert field.name not in ("first_date", "last_date")


def test_conflicts_look_at_the_whole_contract() -> None:
    text = (DDL / "exam_event/views/event_conflicts.sql").read_text()
    compared = re.findall(r"STRUCT\((\w+)\)\)\) > 1, '(\w+)', NULL", text)
    assert [name for _, name in compared] == [*CONTRACT[1:], "extra"]
    verdict = {"is_late_submission": "client_is_late_submission"}
    assert all(column == verdict.get(name, name) for column, name in compared)


def test_views_give_what_their_functions_give(googlesql: GoogleSql, dataset: Dataset) -> None:
    """Google's analyzer type-checks every statement (in the fixture), and names the columns."""
    columns = {
        query.name: [
            (column.name, str(column.column.type))
            for column in googlesql.analyze(query.sql).output_column_list
        ]
        for query in statements.queries(dataset, ALL)
    }
    views = [query.name for query in without_stored(dataset) if query.kind == "VIEW"]
    assert set(views) == VIEWS | VIEWS_WITHOUT_A_FUNCTION
    assert all(columns[view] == columns[f"{view}_between"] for view in VIEWS)
    events = statements.table(dataset, "events_fact").schema
    assert [name for name, _ in columns["events"]] == [field.name for field in events]


def test_every_column_of_a_view_is_listed_and_described(
    googlesql: GoogleSql, dataset: Dataset
) -> None:
    """As written, with the list that ``apply`` leaves out, which a console needs."""
    queries = without_stored(dataset)
    views = {query.name: query for query in queries if query.kind == "VIEW"}
    for name, view in views.items():
        whole = statements.render(dataset, "views", name)
        analyzed = googlesql.analyze(whole[whole.rindex("CREATE OR REPLACE VIEW") :])
        columns = [column.name for column in analyzed.output_column_list]
        plain = [column.name for column in googlesql.analyze(view.sql).output_column_list]
        assert columns == plain == list(view.descriptions)
        assert all(text and text.endswith(".") for text in view.descriptions.values())
    wrong = [view.descriptions.get("wrong_answers", "") for view in views.values()]
    assert all("first submissions" in text for text in wrong if text)
    assert len([text for text in wrong if text]) == 4


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT event_id FROM `{t}` QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id) = 1",
        "SELECT no_such_column FROM `{t}`",
        "SELECT event_id FROM `{t}` WHERE event_date > client_ts",
        "SELECT event_id, COUNT(*) FROM `{t}`",
    ],
)
def test_google_refuses_what_bigquery_would(
    sql: str, googlesql: GoogleSql, dataset: Dataset
) -> None:
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        googlesql.analyze(sql.format(t=dataset.table("events_fact")))


def test_reads_are_bounded_by_partition() -> None:
    """With the margin, but where a view takes copies to have one date, or reads a table whole."""
    margin = "INTERVAL ${margin_days} DAY"
    window = f"BETWEEN DATE_SUB(first_date, {margin}) AND DATE_ADD(last_date, {margin})"
    partition = {family.table: "event_date" for family in ALL} | {"dead_letters": "failed_date"}
    own = {f"{family.view}{end}" for family in ALL for end in (".sql", "_history.sql")}
    own -= {"events.sql"}
    for path in (*DDL.glob("*/views/*.sql"), *DDL.glob("*/history/*.sql")):
        if path.stem in VIEWS_WITHOUT_A_FUNCTION:
            continue
        dates = "BETWEEN first_date AND last_date" if path.name in own else window
        for table, column in partition.items():
            text = path.read_text()
            reads = text.count(f".{table}`")
            bounded = re.findall(rf"\.{table}`\s+WHERE\s+{column} {re.escape(dates)}", text)
            assert reads == len(bounded), path.name


def test_the_statements_run_as_they_stand(warehouse: Warehouse) -> None:
    """The files are plain SQL: a console can run them, without the tool."""
    client, dataset = warehouse.client, warehouse.dataset
    client.create_dataset(str(dataset))
    tables = files.find("tables")
    for name in tables:
        client.query(statements.render(dataset, "tables", name)).result()
    for query in without_stored(dataset):
        client.query(query.sql).result()
    found = {table.table_id for table in client.list_tables(str(dataset))}
    assert found == VIEWS | VIEWS_WITHOUT_A_FUNCTION | set(tables)
