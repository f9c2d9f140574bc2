"""Waiting out outages: a service that is away, overloaded, or refuses access makes no dead letters.

The work waits with back-off until the service is back (DESIGN 6). What that means for a message
that waits, by runner, is in docs/messages.md.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from google.api_core.exceptions import FailedPrecondition, GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import RequestException

from transforms import metrics

_LOG = logging.getLogger(__name__)
_OUTAGES = (GoogleAPICallError, RetryError, GoogleAuthError, RequestException, ConnectionError)
# The service understood the request and refuses just this one: bad request, too large.
_AT_FAULT = frozenset({400, 413})

Item = TypeVar("Item")
Reply = TypeVar("Reply")


def is_request_at_fault(error: BaseException) -> bool:
    """Whether sending the same request again would not help."""
    # A failed precondition is told as 400 and is none: a key that is disabled comes back.
    return (
        isinstance(error, GoogleAPICallError)
        and error.code in _AT_FAULT
        and not isinstance(error, FailedPrecondition)
    )


def is_outage(error: BaseException) -> bool:
    """Whether to wait: unreachable, overloaded, access refused, topic or table missing."""
    return isinstance(error, _OUTAGES) and not is_request_at_fault(error)


def wait_out_outages(service: str) -> Retry:
    """A retry without end for calls of one service; each wait is logged and counted.

    Waits double from one second to one minute.
    """
    retries = metrics.counter(metrics.OUTAGE_RETRIES)

    def tell(error: Exception) -> None:
        retries.inc()
        _LOG.warning("%s is not available (%s): waiting", service, type(error).__name__)

    return Retry(
        predicate=is_outage, initial=1.0, maximum=60.0, multiplier=2.0, timeout=None, on_error=tell
    )


def send_in_halves(
    send: Callable[[Sequence[Item]], Reply], items: Sequence[Item], offset: int = 0
) -> Iterator[tuple[int, Reply | GoogleAPICallError]]:
    """Sends items in one request; one that is refused as such is cut in halves to find the culprit.

    Yields:
        (index of the first item of a request, what ``send`` returned for it), or
        (index, error) for a single item that the service refuses.
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
