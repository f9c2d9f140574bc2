"""Every line of ``exam-events doctor``, on the emulators and without."""

import uuid

import pytest
from google.api_core.exceptions import Forbidden, PermissionDenied
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import bigquery as bq
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsResponse as Granted

from local_runner import doctor
from local_runner.emulators import start
from pipeline.preflight import UncheckedError
from tests.support import parcels as two

VARIABLES = ("BIGQUERY_EMULATOR_HOST", "BIGQUERY_STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")
NONE = "projects/local-exams/{}/none"


@pytest.fixture
def diagnose(capsys, monkeypatch):
    """Runs the command; gives the exit code and (verdict, text) by subject."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*options):
        code = doctor.main(list(options))
        *lines, last = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= 80
        found, subject = {}, None
        for line in lines:
            if line.startswith(" "):
                verdict, text = found[subject]
                found[subject] = verdict, f"{text} {line.strip()}"
            else:
                subject = line[6:26].strip()
                found[subject] = line[:6].strip(), line[26:]
        verdicts = [verdict for verdict, _ in found.values()]
        counted = (f"{verdicts.count(v)} {v}" for v in ("ok", "warn", "fail"))
        assert last == ", ".join(counted)
        assert code == (1 if "fail" in verdicts else 0)
        return found

    return run


@pytest.fixture
def wires(pubsub_emulator):
    """The options for a subscription and a topic that exist."""
    name = f"doctor-{uuid.uuid4().hex[:8]}"
    topic, subscription = (f"projects/local-exams/{k}/{name}" for k in ("topics", "subscriptions"))
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(name=topic)
        subscriber.create_subscription(name=subscription, topic=topic)
    return [f"--input_subscription={subscription}", f"--dead_letter_topic={topic}"]


@pytest.fixture
def cloud(monkeypatch):
    """No emulators; gives a function that replaces what google.auth.default() does."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)

    def set_default(default):
        monkeypatch.setattr("google.auth.default", default)

    return set_default


def without_credentials():
    raise DefaultCredentialsError("Your default credentials were not found.")


def test_a_run_that_has_all_it_needs(diagnose, applied, wires):
    found = diagnose(f"--dataset={applied.dataset}", *wires)
    assert list(found) == [
        "Python",
        "Java",
        "Pub/Sub emulator",
        "BigQuery",
        "Storage Write API",
        "Pub/Sub",
        "dataset",
        "events_fact",
        "dead_letters",
        "lateness_rules",
        "write stream",
        "queries",
        "subscription",
        "topic",
    ]
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert found["dataset"] == ("ok", str(applied.dataset))


def test_the_tables_of_each_family_are_checked(diagnose, applied):
    with two.families() as (_, gates):
        two.create(applied.client, applied.dataset, gates)
        found = diagnose(f"--dataset={applied.dataset}", "--event_family=parcels,gates")
        assert found["gates_fact"] == ("ok", "has every column that the pipeline fills")
        verdict, text = found["parcels_fact"]
        assert (verdict, "does not exist: run python -m ddl apply" in text) == ("fail", True)
        assert found["write stream"] == ("ok", "open")
        # What only the lateness of a family needs.
        assert {"lateness_settings", "queries", "events_fact"}.isdisjoint(found)
        found = diagnose(f"--dataset={applied.dataset}", "--event_family=exam_event,gates")
        assert {"lateness_rules", "queries", "events_fact", "gates_fact"} <= found.keys()


def test_a_machine_that_can_only_read_files(diagnose, cloud, monkeypatch):
    cloud(without_credentials)
    monkeypatch.setenv("PATH", "/none")
    monkeypatch.setattr(start, "_SDK_ROOTS", ())
    found = diagnose()
    assert found["Java"][0] == found["Pub/Sub emulator"][0] == "warn"
    assert "needs Java 17 or later" in found["Java"][1]
    assert "run `gcloud components install pubsub-emulator`" in found["Pub/Sub emulator"][1]
    line = "no credentials; run gcloud auth application-default login, or set "
    line += "BIGQUERY_EMULATOR_HOST and PUBSUB_EMULATOR_HOST"
    assert found["BigQuery"] == found["Pub/Sub"] == ("warn", line)


def test_an_old_java_is_none(diagnose, cloud, monkeypatch, tmp_path):
    cloud(without_credentials)
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert diagnose()["Java"][0] == "warn"


def test_a_python_that_we_do_not_support(diagnose, cloud, monkeypatch):
    cloud(without_credentials)
    monkeypatch.setattr("platform.python_version", lambda: "3.13.1")
    verdict, text = diagnose()["Python"]
    assert verdict == "fail"
    assert text.startswith("3.13.1: install one that is ")


def test_credentials_are_missing_for_what_is_given(diagnose, cloud):
    cloud(without_credentials)
    found = diagnose("--dataset=local-exams.none", f"--dead_letter_topic={NONE.format('topics')}")
    assert found["BigQuery"][0] == found["Pub/Sub"][0] == "fail"
    assert {"dataset", "topic"}.isdisjoint(found)


def test_credentials_name_their_account(diagnose, cloud):
    account = AnonymousCredentials()
    cloud(lambda: (account, None))
    assert diagnose()["BigQuery"] == ("ok", "credentials of a user")
    account.service_account_email = "pipeline@p.iam.gserviceaccount.com"
    assert diagnose()["Pub/Sub"] == ("ok", f"credentials of {account.service_account_email}")


@pytest.mark.parametrize(
    ("variable", "subject"),
    [*zip(VARIABLES, ("BigQuery", "Storage Write API", "Pub/Sub"), strict=True)],
)
def test_an_emulator_that_does_not_answer(diagnose, cloud, monkeypatch, variable, subject):
    cloud(without_credentials)
    monkeypatch.setenv(variable, "127.0.0.1:1")
    verdict, text = diagnose()[subject]
    assert verdict == "fail"
    assert text == (
        f"no emulator answers at 127.0.0.1:1, which {variable} names: start it or unset {variable}"
    )


def test_half_an_emulator(diagnose, bigquery_emulator, monkeypatch):
    monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST")
    verdict, text = diagnose()["Storage Write API"]
    assert (verdict, text[:40]) == ("warn", "set BIGQUERY_STORAGE_EMULATOR_HOST too, ")


def test_resources_that_do_not_exist(diagnose, warehouse, pubsub_emulator):
    subscription, topic = (NONE.format(kind) for kind in ("subscriptions", "topics"))
    found = diagnose(
        f"--dataset={warehouse.dataset}",
        f"--input_subscription={subscription}",
        f"--dead_letter_topic={topic}",
    )
    how = f"run python -m ddl apply --dataset {warehouse.dataset}"
    assert found["dataset"] == ("fail", f"{warehouse.dataset} does not exist: {how}")
    assert found["subscription"] == ("fail", f"{subscription} does not exist: create it first")
    assert found["topic"] == ("fail", f"{topic} does not exist: create it first")
    assert "events_fact" not in found


def test_tables_that_lack_something(diagnose, applied):
    client, dataset = applied.client, applied.dataset
    facts = client.get_table(dataset.table("events_fact"))
    kept = [field for field in facts.schema if field.name != "pipeline_version"]
    for table in ("events_fact", "dead_letters"):
        client.delete_table(dataset.table(table))
    client.create_table(bq.Table(facts.reference, kept))
    row = {"duration_seconds": 60, "grace_seconds": 1}
    assert not client.insert_rows_json(dataset.table("lateness_settings"), [row, row])
    found = diagnose(f"--dataset={dataset}")
    how = f"run python -m ddl apply --dataset {dataset}"
    assert found["events_fact"] == ("fail", f"table events_fact lacks pipeline_version: {how}")
    letters = f"table {dataset}.dead_letters does not exist: {how}"
    assert found["dead_letters"] == ("fail", letters)
    assert found["lateness_rules"][0] == "fail"
    assert "two rows for one test" in found["lateness_rules"][1]
    assert "queries" not in found


def test_an_account_without_permissions(diagnose, cloud, monkeypatch):
    """Stand-ins: no emulator knows permissions."""

    def may_not(error):
        def call(*arguments, **options):
            raise error

        return call

    unchecked = UncheckedError("BigQuery: not checked, this account has no permission")
    cloud(lambda: (AnonymousCredentials(), None))
    for question in ("check_dataset", "check_table", "check_settings", "check_stream"):
        monkeypatch.setattr(f"pipeline.preflight.{question}", may_not(unchecked))
    monkeypatch.setattr("pipeline.preflight.query_starts", may_not(Forbidden("no")))
    monkeypatch.setattr("pipeline.preflight.check_pubsub", lambda kind, name: None)
    granted = Granted(permissions=["pubsub.topics.publish"])
    options = {"credentials": AnonymousCredentials()}
    monkeypatch.setattr(doctor, "PublisherClient", lambda: PublisherClient(**options))
    monkeypatch.setattr(doctor, "SubscriberClient", lambda: SubscriberClient(**options))
    monkeypatch.setattr(PublisherClient, "test_iam_permissions", lambda *_, **__: granted)
    monkeypatch.setattr(SubscriberClient, "test_iam_permissions", lambda *_, **__: Granted())
    topic, subscription = NONE.format("topics"), NONE.format("subscriptions")
    named = [f"--dead_letter_topic={topic}", f"--input_subscription={subscription}"]
    found = diagnose("--dataset=local-exams.exams", *named)
    assert found["events_fact"] == ("warn", str(unchecked))
    assert found["queries"][0] == "warn"
    assert "grant it roles/bigquery.jobUser on local-exams" in found["queries"][1]
    assert found["topic access"] == ("ok", "pubsub.topics.publish")
    lacks = "this account lacks pubsub.subscriptions.consume: grant it roles/pubsub.subscriber"
    assert found["subscription access"] == ("fail", lacks)

    refused = may_not(PermissionDenied("no"))
    monkeypatch.setattr(SubscriberClient, "test_iam_permissions", refused)
    verdict, text = diagnose(*named)["subscription access"]
    assert (verdict, text[:13]) == ("warn", "not checked: ")
