import json
import socket
import ssl

import grpc
import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from hypothesis import given
from hypothesis import strategies as st

from gcp.retry import is_outage, is_request_at_fault, retry_transient, send_in_halves

GATEWAY = b"<html><title>Error</title>That\xe2\x80\x99s an error.</html>"


def answered(code, body=b""):
    """The error that Google's client makes of an HTTP answer."""
    response = requests.Response()
    response.status_code = code
    response._content = body
    response.request = requests.Request("POST", "https://bigquery/insertAll").prepare()
    return exceptions.from_http_response(response)


def api_error(code, reason):
    """The error that it makes of an answer in BigQuery's own form."""
    error = {"code": code, "message": "m", "errors": [{"reason": reason, "message": "m"}]}
    return answered(code, json.dumps({"error": error}).encode())


def grpc_status(name):
    return exceptions.from_grpc_status(grpc.StatusCode[name], "m", errors=(grpc.RpcError(),))


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ServiceUnavailable("away"),
        exceptions.TooManyRequests("slow down"),
        exceptions.InternalServerError("oops"),
        exceptions.Forbidden("no access"),
        exceptions.NotFound("no table"),
        exceptions.RetryError("gave up", None),
        *(answered(code, GATEWAY) for code in (301, 400, 401, 407, 408, 409, 499, 502, 503, 504)),
        *(
            api_error(403, reason)
            for reason in ("accessDenied", "quotaExceeded", "billingNotEnabled")
        ),
        *(
            api_error(400, reason)
            for reason in ("tableUnavailable", "resourcesExceeded", "timeout")
        ),
        api_error(400, "failedPrecondition"),
        requests.ConnectionError("refused"),
        requests.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("half an answer"),
        requests.JSONDecodeError("half an answer", "{", 1),
        ConnectionResetError("gone"),
        TimeoutError("slow"),
        socket.gaierror("no such host"),
        ssl.SSLError("cut off"),
        RefreshError("revoked"),
        TransportError("the metadata server is unreachable"),
        DefaultCredentialsError("no metadata server"),
    ],
    ids=repr,
)
def test_an_outage_is_waited_out(error):
    assert is_outage(error)
    assert not is_request_at_fault(error)


@pytest.mark.parametrize("status", sorted({s.name for s in grpc.StatusCode} - {"OK"}))
def test_of_grpcs_errors_only_an_invalid_argument_is_no_outage(status):
    assert is_outage(grpc_status(status)) == (status != "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "error",
    [
        api_error(400, "invalid"),
        api_error(400, "badRequest"),
        api_error(400, "new"),
        answered(413, GATEWAY),
    ],
    ids=repr,
)
def test_a_request_at_fault_is_not_sent_again(error):
    assert is_request_at_fault(error)
    assert not is_outage(error)


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("a bug"), AttributeError("a bug")])
def test_a_bug_is_no_outage(error):
    assert not is_outage(error)


def test_a_call_is_repeated_until_the_service_is_back(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers = iter([exceptions.ServiceUnavailable("away"), exceptions.NotFound("gone"), "done"])

    def call():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retry_transient("a service", call) == "done"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_halving_finds_just_the_refused_items(items):
    delivered = []

    def send(batch):
        if any(item == 0 for item in batch):
            raise exceptions.InvalidArgument("a zero")
        delivered.extend(batch)
        return len(batch)

    replies = list(send_in_halves(send, items))
    refused = [offset for offset, reply in replies if isinstance(reply, Exception)]
    assert delivered == [item for item in items if item != 0]
    assert refused == [index for index, item in enumerate(items) if item == 0]
    assert [offset for offset, _ in replies] == sorted(offset for offset, _ in replies)


def test_halving_hands_on_what_is_not_the_requests_fault():
    def send(batch):
        raise exceptions.ServiceUnavailable("away")

    with pytest.raises(exceptions.ServiceUnavailable):
        list(send_in_halves(send, [1, 2]))
