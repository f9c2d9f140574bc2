import pytest
from google.api_core import exceptions
from google.auth.exceptions import RefreshError
from hypothesis import given
from hypothesis import strategies as st
from requests.exceptions import ConnectionError as Unreachable

from pipeline.outages import is_outage, send_in_halves, wait_out_outages


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ServiceUnavailable("away"),
        exceptions.TooManyRequests("slow down"),
        exceptions.InternalServerError("oops"),
        exceptions.Forbidden("no access"),
        exceptions.NotFound("no table"),
        exceptions.FailedPrecondition("key disabled"),
        exceptions.RetryError("gave up", None),
        Unreachable("refused"),
        ConnectionResetError("gone"),
        RefreshError("revoked"),
    ],
)
def test_an_outage_is_waited_out(error):
    assert is_outage(error)


@pytest.mark.parametrize(
    "error", [exceptions.BadRequest("bad row"), ValueError("a bug"), KeyError("a bug")]
)
def test_what_waiting_would_not_mend_is_no_outage(error):
    assert not is_outage(error)


def test_a_call_is_repeated_until_the_service_is_back(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers = iter([exceptions.ServiceUnavailable("away"), exceptions.NotFound("gone"), "done"])

    def call():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert wait_out_outages("a service")(call)() == "done"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_halving_finds_just_the_refused_items(items):
    delivered = []

    def send(batch):
        if any(item == 0 for item in batch):
            raise exceptions.BadRequest("a zero")
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
