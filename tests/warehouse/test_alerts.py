"""Alerts, sent to real servers: once when runs begin to fail, and once when it is over."""

import pytest

from ddl import statements
from gcp.environments import read_environment
from tests.conftest import Warehouse
from tests.support import receivers
from warehouse import alerts
from warehouse.__main__ import main
from warehouse.alerts import Alerts, channels
from warehouse.runs import Runner

NOBODY = "http://127.0.0.1:9/hook"


@pytest.fixture
def logged(warehouse: Warehouse) -> Warehouse:
    """A dataset with the log of runs, and no other table: every run fails."""
    warehouse.client.create_dataset(str(warehouse.dataset))
    for name in ("tables", "views"):
        file = {"tables": "etl_metadata", "views": "etl_job_status"}[name]
        warehouse.client.query(statements.render(warehouse.dataset, name, file)).result()
    return warehouse


@pytest.fixture
def hook(monkeypatch):
    with receivers.web_hook() as (url, bodies):
        monkeypatch.setenv(alerts.WEBHOOK_URL, url)
        yield bodies


@pytest.fixture
def mails(monkeypatch):
    with receivers.mail_server() as (url, messages):
        monkeypatch.setenv(alerts.SMTP_URL, url)
        monkeypatch.setenv(alerts.EMAIL, "ops@school.example,head@school.example")
        yield messages


def watch(warehouse: Warehouse) -> Alerts:
    pipeline = Runner(warehouse.client, warehouse.dataset).pipeline
    settings = read_environment(None)
    return Alerts(warehouse.client, warehouse.dataset, None, pipeline, channels(settings))


def test_five_failed_runs_are_one_alert_and_their_end_another(logged, hook, mails, capsys) -> None:
    for _ in range(5):
        assert main(["run", "--dataset", str(logged.dataset)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 5
    assert "does not exist: run python -m ddl apply" in said[0]
    assert len(hook) == len(mails) == 1
    assert hook[0]["text"].startswith(f"Failed: warehouse of {logged.dataset}\n")
    assert "does not exist" in hook[0]["text"]
    assert mails[0]["Subject"].strip() == f"Failed: warehouse of {logged.dataset}"
    assert mails[0]["To"].split(", ") == ["ops@school.example", "head@school.example"]
    rows = Runner(logged.client, logged.dataset).metadata.latest(10)
    assert [row["status"] for row in rows] == ["failed"] * 5
    assert all("does not exist" in row["error_message"] for row in rows)

    watch(logged).succeeded()
    watch(logged).succeeded()
    assert len(hook) == len(mails) == 2
    assert hook[1]["text"] == (
        f"Works again: warehouse of {logged.dataset}\n"
        "A run has succeeded again, after 5 that failed"
    )


def test_what_may_pass_is_an_incident_the_second_time(logged, hook) -> None:
    watch(logged).failed("BigQuery does not answer", may_pass=True)
    watch(logged).succeeded()
    assert hook == []
    for _ in range(3):
        watch(logged).failed("BigQuery does not answer", may_pass=True)
    assert len(hook) == 1


def test_a_webhook_that_is_down_fails_no_run_and_the_next_sends(
    logged, mails, monkeypatch, caplog
) -> None:
    """Nor does one that makes no sense; and what e-mail took is not sent again."""
    monkeypatch.delenv(alerts.EMAIL)
    monkeypatch.setenv(alerts.WEBHOOK_URL, NOBODY)
    watch(logged).failed("a table is missing", may_pass=False)
    assert "an alert could not be sent: ConnectionError" in caplog.text
    assert f"no alerts by e-mail: {alerts.EMAIL} is not set" in caplog.text
    assert NOBODY not in caplog.text

    with receivers.web_hook() as (url, bodies):
        monkeypatch.setenv(alerts.WEBHOOK_URL, url)
        watch(logged).failed("a table is missing", may_pass=False)
        assert len(bodies) == 1
        monkeypatch.setenv(alerts.WEBHOOK_URL, NOBODY)
        watch(logged).succeeded()
        monkeypatch.setenv(alerts.WEBHOOK_URL, url)
        watch(logged).succeeded()
        assert len(bodies) == 2

    monkeypatch.setenv(alerts.EMAIL, "ops@school.example")
    monkeypatch.setenv(alerts.WEBHOOK_URL, "hooks.example/secret")
    watch(logged).failed("a table is missing", may_pass=False)
    assert len(mails) == 1
    assert "must be an http or https URL" in caplog.text
    assert "secret" not in caplog.text
