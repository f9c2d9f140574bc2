"""Errors of Google's services, each as one line that says what to do about it."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping

import grpc
from google.api_core.exceptions import (
    DeadlineExceeded,
    Forbidden,
    GoogleAPICallError,
    GoogleAPIError,
    NotFound,
    RetryError,
    ServiceUnavailable,
)
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from requests import RequestException

from gcp.clients import EMULATOR_VARIABLE, PUBSUB_VARIABLE
from schemas.families import DEFAULT_FAMILY, FAMILIES

# What a command may run into that is not a bug of ours.
SERVICE_ERRORS = (RequestException, GoogleAPIError, GoogleAuthError)

_KEY_FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_LOG_IN = "run gcloud auth application-default login"
# "404 GET https://...: Not found: ..." of the REST clients, "404 Not found: ..." of jobs and gRPC.
_PREFIX = re.compile(r"\d{3} (?:[A-Z]+ https?://\S+: )?")
# BigQuery writes "Table project:dataset.table", its emulator "table:project.dataset.table" too.
_NOT_FOUND = re.compile(r"Not found: (Dataset|Table)[ :]([^\s;,]+)", re.IGNORECASE)
_PERMISSION = re.compile(r"\b[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+\b(?= permission\b| denied\b)")


def explain(error: Exception) -> str:
    """The one-line message for one of SERVICE_ERRORS."""
    cause = error.cause if isinstance(error, RetryError) and error.cause else error
    if isinstance(cause, DefaultCredentialsError):
        return no_credentials(cause)
    if isinstance(cause, RefreshError):
        return f"Google rejected the credentials: {_LOG_IN}"
    if isinstance(cause, RequestException):
        return _unreachable("BigQuery", EMULATOR_VARIABLE)
    if isinstance(cause, ServiceUnavailable | DeadlineExceeded):
        # Only what came by gRPC holds the call's error: of the commands' services, Pub/Sub.
        if isinstance(cause.response, grpc.RpcError):
            return _unreachable("Pub/Sub", PUBSUB_VARIABLE)
        return _unreachable("BigQuery", EMULATOR_VARIABLE)
    if isinstance(cause, NotFound):
        return _not_found(cause)
    if isinstance(cause, Forbidden):
        return _forbidden(cause)
    return str(cause).partition("\n")[0]


@contextlib.contextmanager
def about(resource: str) -> Iterator[None]:
    """Names the resource (``topic projects/...``) of requests in errors: Pub/Sub does not.

    Use it as a context, or as the decorator of a function that sends the requests.
    """
    try:
        yield
    except GoogleAPICallError as error:
        error.add_note(resource)
        raise


def missing(resource: str) -> str:
    """The line for a topic or subscription that does not exist."""
    return f"{resource} does not exist: create it first"


def missing_table(table_id: str, dataset: str) -> str:
    """The line for a table of ours that does not exist."""
    name = table_id.rpartition(".")[2]
    return f"table {table_id} does not exist: {how_to_apply(dataset, name)}"


def how_to_apply(dataset: str, table: str | None = None) -> str:
    """The hint that creates the tables of a dataset, this one among them."""
    families = [family.name for family in FAMILIES.values() if family.table == table]
    others = [f" --event_family {name}" for name in families if name != DEFAULT_FAMILY.name]
    return f"run python -m ddl apply --dataset {dataset}{''.join(others)}"


def no_credentials(error: DefaultCredentialsError) -> str:
    """The line for a process without usable credentials."""
    if os.environ.get(_KEY_FILE_VARIABLE):
        return f"{_KEY_FILE_VARIABLE}: {str(error).partition(chr(10))[0]}"
    return f"no credentials; {_LOG_IN}, or set {EMULATOR_VARIABLE} and {PUBSUB_VARIABLE}"


def _unreachable(service: str, variable: str) -> str:
    emulator = os.environ.get(variable)
    where = f" at {emulator} ({variable})" if emulator else ""
    return f"{service} does not answer{where}"


def _not_found(error: NotFound) -> str:
    if resource := _resource(error):
        return missing(resource)
    found = _NOT_FOUND.search(str(error))
    if found is None:
        return _said(error)
    name = ".".join(found[2].rsplit(":", 1))
    if found[1].lower() == "dataset":
        return f"dataset {name} does not exist: {how_to_apply(name)}"
    return missing_table(name, name.rpartition(".")[0])


def _forbidden(error: Forbidden) -> str:
    said = _said(error).removeprefix("Access Denied: ").rstrip(".")
    # BigQuery also returns 403 for exhausted quotas and unpaid bills.
    reasons = {detail.get("reason") for detail in error.errors if isinstance(detail, Mapping)}
    if reasons - {None, "accessDenied"}:
        return said
    resource, permission = _resource(error), _PERMISSION.search(said)
    where = f" to {resource}" if resource else ""
    role = f"a role with {permission[0]}" if permission else "a role for it"
    return f"access{where} is denied ({said}): grant this account {role}"


def _resource(error: Exception) -> str | None:
    notes: list[str] = getattr(error, "__notes__", [])
    return notes[0] if notes else None


def _said(error: Exception) -> str:
    return _PREFIX.sub("", str(error).partition("\n")[0], count=1)
