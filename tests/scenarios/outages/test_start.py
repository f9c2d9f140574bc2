"""What is missing or away when a run starts is one line and exit code 1, not an endless retry."""

import pytest
from google.cloud import bigquery as bq

from pipeline import preflight
from pipeline.options import parse
from tests.scenarios.outages import doors
from tests.scenarios.outages.streams import Wires

pytestmark = pytest.mark.xdist_group("outages_of_files")


@pytest.fixture(scope="module")
def ledger(new_ledger):
    return new_ledger()


@pytest.fixture
def check(environment, ledger):
    """Looks at a stream's surroundings, with these options changed."""
    wires = Wires.laid()

    def check(**changes):
        options = {
            "input_subscription": wires.subscription,
            "dead_letter_topic": wires.dead_topic,
            "dataset": ledger.dataset,
        } | changes
        config, _ = parse([f"--{name}={value}" for name, value in options.items()])
        return preflight.check(config)["exam_event"]

    return check


def test_all_in_place_is_a_start(check):
    assert check().max_age.days == 1800


def test_a_missing_dataset_is_told(check):
    with pytest.raises(preflight.StartupError, match=r"none\.events_fact does not exist: run"):
        check(dataset="local-exams.none")


@pytest.fixture
def replace(ledger):
    """Replaces a table by one with these fields, or by none; it comes back in the end."""
    taken = []

    def replace(table, keep=None):
        before = ledger.client.get_table(ledger.dataset.table(table))
        taken.append(before)
        ledger.client.delete_table(before)
        if keep is not None:
            fields = [field for field in before.schema if keep(field)]
            ledger.client.create_table(bq.Table(before.reference, fields))

    yield replace
    for table in taken:
        ledger.client.delete_table(table, not_found_ok=True)
        ledger.client.create_table(bq.Table(table.reference, table.schema))


@pytest.mark.parametrize("table", ["events_fact", "dead_letters"])
def test_a_missing_table_is_told(check, replace, table):
    replace(table)
    with pytest.raises(preflight.StartupError, match=f"{table} does not exist: run python -m ddl"):
        check()


def test_a_missing_view_of_the_rules_is_told(check, new_ledger):
    bare = new_ledger()
    view = bare.dataset.table("lateness_rules")
    bare.client.query(f"DROP VIEW `{view}`").result()  # the emulator drops views only by SQL
    with pytest.raises(
        preflight.StartupError, match="lateness_rules does not exist: run python -m ddl"
    ):
        check(dataset=str(bare.dataset))


@pytest.mark.parametrize("table", ["events_fact", "dead_letters"])
def test_a_table_of_an_older_version_is_told(check, replace, table):
    replace(table, keep=lambda field: field.name != "pipeline_version")
    with pytest.raises(preflight.StartupError, match=f"{table} lacks pipeline_version: run python"):
        check()


@pytest.mark.parametrize("option", ["input_subscription", "dead_letter_topic"])
def test_a_missing_topic_or_subscription_is_told(check, option):
    kind = "topics" if option == "dead_letter_topic" else "subscriptions"
    name = f"projects/local-exams/{kind}/nobody"
    with pytest.raises(preflight.StartupError, match=f"{name} does not exist: create it first"):
        check(**{option: name})


@pytest.mark.parametrize(
    "trouble",
    [doors.cuts_off, doors.says(500, "internalError"), doors.says_json(502, b'{"error": "no"}')],
    ids=["cut_off", "500", "json_of_a_gateway"],
)
def test_a_bigquery_that_is_away_is_told(check, bigquery, trouble):
    bigquery.rest.treatment = trouble
    with pytest.raises(preflight.StartupError, match=r"BigQuery at .* does not answer"):
        check()
    bigquery.rest.treatment = doors.pass_on


def test_an_account_that_may_not_look_starts_all_the_same(check, bigquery, caplog):
    bigquery.rest.treatment = doors.says(403, "accessDenied")
    assert check().max_age.days == 1800
    bigquery.rest.treatment = doors.pass_on
    assert "this account has no permission" in caplog.text


def test_a_pubsub_that_is_away_is_told(check, pubsub, environment, monkeypatch):
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.host)
    pubsub.shut()
    with pytest.raises(preflight.StartupError, match=r"Pub/Sub at .* does not answer"):
        check()
    pubsub.open()
