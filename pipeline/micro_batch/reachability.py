"""Whether Pub/Sub answers at all: its client retries silently while it is unreachable."""

import logging
import threading
import time

from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError, ServiceUnavailable
from google.cloud.pubsub_v1 import SubscriberClient

_REQUEST_SECONDS = 15.0
_TIMEOUT_SECONDS = 10.0
# One call may fail by chance; two are an outage, and /healthz shows it within a minute.
_SILENT_SECONDS = 45.0
_LOG = logging.getLogger(__name__)


class Reachability:
    """Requests the subscription periodically, and reports missing answers."""

    def __init__(self, client: SubscriberClient, subscription: str) -> None:
        """Takes the client whose connection to check."""
        self._client = client
        self._subscription = subscription
        self._closed = threading.Event()
        self._answered_at = time.monotonic()

    def start(self) -> None:
        """Starts the requests in a thread of their own."""
        threading.Thread(target=self._request_periodically, daemon=True).start()

    def close(self) -> None:
        """Stops the requests; one under way ends when its client is closed."""
        self._closed.set()

    @property
    def fault(self) -> str | None:
        """One line if Pub/Sub has not answered for too long, else None."""
        seconds = time.monotonic() - self._answered_at
        if seconds <= _SILENT_SECONDS:
            return None
        return f"Pub/Sub has not answered for {seconds:.0f} s"

    def answers(self) -> bool:
        """Whether Pub/Sub answers now; a rejection is an answer."""
        try:
            self._client.get_subscription(
                subscription=self._subscription, retry=None, timeout=_TIMEOUT_SECONDS
            )
        except (ServiceUnavailable, DeadlineExceeded):
            return False
        except Exception as error:
            return isinstance(error, GoogleAPICallError)
        return True

    def _request_periodically(self) -> None:
        while not self._closed.wait(_REQUEST_SECONDS):
            if self.answers():
                self._answered_at = time.monotonic()
            elif (fault := self.fault) and not self._closed.is_set():
                _LOG.warning("%s: its client keeps trying", fault)
