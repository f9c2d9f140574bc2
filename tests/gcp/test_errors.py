"""Errors as the services word them; those that emulators give are in scenarios/test_endings.py."""

import grpc
import pytest
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from grpc import StatusCode
from requests import ConnectionError as NoConnection

from gcp.errors import about, explain

TOPIC = "topic projects/p/topics/t"
JOB_URL = "POST https://bigquery.googleapis.com/bigquery/v2/projects/p/jobs?prettyPrint=false"
REFUSED = {"reason": "accessDenied"}
UNPAID = {"reason": "billingNotEnabled"}


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            exceptions.NotFound(
                "Not found: Dataset my-project:exams was not found in location EU; reason: "
                "notFound, message: Not found: Dataset my-project:exams was not found\n\nJob ID: 1"
            ),
            "dataset my-project.exams does not exist: run python -m ddl apply --dataset "
            "my-project.exams",
        ),
        (
            exceptions.NotFound(f"{JOB_URL}: Not found: Table a.org:my-project:exams.events_fact"),
            "table a.org:my-project.exams.events_fact does not exist: run python -m ddl apply "
            "--dataset a.org:my-project.exams",
        ),
        (exceptions.NotFound(f"{JOB_URL}: Not found: Job p:j"), "Not found: Job p:j"),
        (
            exceptions.Forbidden(
                f"{JOB_URL}: Access Denied: Project p: User does not have bigquery.jobs.create "
                "permission in project p.",
                errors=[REFUSED],
            ),
            "access is denied (Project p: User does not have bigquery.jobs.create permission in "
            "project p): grant this account a role with bigquery.jobs.create",
        ),
        (
            exceptions.Forbidden(
                "Access Denied: Table p:d.t: Permission bigquery.tables.getData denied on table "
                "p:d.t (or it may not exist).; reason: accessDenied"
            ),
            "access is denied (Table p:d.t: Permission bigquery.tables.getData denied on table "
            "p:d.t (or it may not exist).; reason: accessDenied): grant this account a role with "
            "bigquery.tables.getData",
        ),
        (
            exceptions.Forbidden("Billing has not been enabled.", errors=[UNPAID]),
            "Billing has not been enabled",
        ),
        (
            exceptions.RetryError("Timeout of 5s exceeded", NoConnection("no")),
            "BigQuery does not answer",
        ),
        (RefreshError("reauth"), "Google rejected the credentials: run gcloud auth application-"),
        (exceptions.BadRequest("Syntax error\nmore"), "400 Syntax error"),
    ],
)
def test_an_error_is_one_line(error, line, monkeypatch):
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    assert explain(error).startswith(line)
    assert explain(error).count("\n") == 0


class Ended(grpc.RpcError):
    """What the gRPC library raises."""

    def __init__(self, code, details):
        self._code, self._details = code, details

    def code(self):
        return self._code

    def details(self):
        return self._details

    def trailing_metadata(self):
        return ()


def of_grpc(code, details):
    """An error as Google's client makes it of gRPC's."""
    return exceptions.from_grpc_error(Ended(code, details))


def failing(error):
    @about(TOPIC)
    def send():
        raise error

    with about("subscription outside"), pytest.raises(type(error)) as raised:
        send()
    return raised.value


def test_pubsub_errors_name_the_resource_that_was_asked_for(monkeypatch):
    gone = exceptions.NotFound("Resource not found (resource=t).")
    assert explain(failing(gone)) == f"{TOPIC} does not exist: create it first"
    denied = of_grpc(StatusCode.PERMISSION_DENIED, "User not authorized to perform this action.")
    assert explain(failing(denied)) == (
        f"access to {TOPIC} is denied (User not authorized to perform this action): grant this "
        "account a role for it"
    )
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "host:1")
    away = of_grpc(StatusCode.UNAVAILABLE, "failed to connect to all addresses")
    assert explain(away) == "Pub/Sub does not answer at host:1 (PUBSUB_EMULATOR_HOST)"


def test_a_bigquery_that_is_overloaded_is_not_pubsub(monkeypatch):
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    overloaded = exceptions.from_http_status(503, "try again")
    assert explain(overloaded) == "BigQuery does not answer"
    assert explain(exceptions.RetryError("gave up", overloaded)) == "BigQuery does not answer"


def test_a_key_file_that_is_missing_is_named(monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/none.json")
    line = explain(DefaultCredentialsError("File /none.json was not found."))
    assert line == "GOOGLE_APPLICATION_CREDENTIALS: File /none.json was not found."
