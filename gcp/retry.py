"""Retrying through outages: an unreachable or overloaded service makes no dead letters.

The work waits with back-off until the service is back (DESIGN 6). What that means for a message
that waits, by runner, is in docs/messages.md.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import ParamSpec, TypeVar

from google.api_core.exceptions import (
    GoogleAPICallError,
    InvalidArgument,
    RetryError,
    ServiceUnavailable,
)
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from schemas import metrics

_LOG = logging.getLogger(__name__)
# OSError covers sockets, name resolution and TLS, and the errors of the package requests.
_OUTAGES = (GoogleAPICallError, RetryError, GoogleAuthError, OSError)
_BAD_REQUEST, _TOO_LARGE = 400, 413
# Reasons of 400 responses that are transient nevertheless.
# https://cloud.google.com/bigquery/docs/error-messages
_PASSES = frozenset(
    {
        "backendError",
        "billingTierLimitExceeded",
        "failedPrecondition",
        "jobBackendError",
        "jobInternalError",
        "jobRateLimitExceeded",
        "resourceInUse",
        "resourcesExceeded",
        "tableUnavailable",
        "timeout",
    }
)

Item = TypeVar("Item")
Reply = TypeVar("Reply")
Arguments = ParamSpec("Arguments")


def is_request_at_fault(error: BaseException) -> bool:
    """Whether the service rejects this very request: malformed, too large.

    A 400 without a reason comes from a gateway, not from BigQuery, and says nothing about the rows.
    """
    if not isinstance(error, GoogleAPICallError):
        return False
    if error.grpc_status_code is not None:
        return isinstance(error, InvalidArgument)
    reasons = {detail.get("reason") for detail in error.errors}
    return error.code == _TOO_LARGE or (
        error.code == _BAD_REQUEST and bool(reasons) and not reasons & _PASSES
    )


def is_outage(error: BaseException) -> bool:
    """Whether to retry: unreachable, overloaded, access denied, topic or table missing."""
    return isinstance(error, _OUTAGES) and not is_request_at_fault(error)


@contextlib.contextmanager
def gateways_answer_as_outage() -> Iterator[None]:
    """Wraps calls of BigQuery's client, which fails on a body that is not BigQuery's.

    {"error": "bad gateway"} makes it fail with an AttributeError, and so does an empty answer.

    Raises:
        ServiceUnavailable: in its place.
    """
    try:
        yield
    except AttributeError as error:
        raise ServiceUnavailable("a gateway's answer") from error  # type: ignore[no-untyped-call]


def retry_transient(
    service: str,
    call: Callable[Arguments, Reply],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Reply:
    """Retries a call for as long as the service has an outage; returns its result.

    Each wait is logged with the service's name and counted; waits double from one second to one
    minute. Other errors are raised.
    """
    retries = metrics.counter(metrics.OUTAGE_RETRIES)

    def report(error: Exception) -> None:
        retries.inc()
        _LOG.warning("%s is not available (%s): waiting", service, type(error).__name__)

    retry = Retry(
        predicate=is_outage,
        initial=1.0,
        maximum=60.0,
        multiplier=2.0,
        timeout=None,
        on_error=report,
    )
    result: Reply = retry(call)(*args, **kwargs)
    return result


def send_in_halves(
    send: Callable[[Sequence[Item]], Reply], items: Sequence[Item], offset: int = 0
) -> Iterator[tuple[int, Reply | GoogleAPICallError]]:
    """Sends items in one request; halves a rejected request until the item at fault is alone.

    Yields:
        (index of the first item of a request, what ``send`` returned for it), or
        (index, error) for a single item that the service rejects.
    """
    try:
        yield offset, send(items)
    except GoogleAPICallError as error:
        if not is_request_at_fault(error):
            raise
        if len(items) == 1:
            yield offset, error
            return
        middle = len(items) // 2
        yield from send_in_halves(send, items[:middle], offset)
        yield from send_in_halves(send, items[middle:], offset + middle)
