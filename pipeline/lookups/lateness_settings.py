"""The view ``lateness_rules``, read once per process and refreshed periodically."""

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apache_beam.utils.shared import Shared
from google.cloud.bigquery import DEFAULT_RETRY

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from gcp.retry import gateways_answer_as_outage, retry_transient
from schemas import metrics
from schemas.lateness import LatenessSettings, SettingsRow
from schemas.tables import LATENESS_RULES, LATENESS_SETTINGS

_TIMEOUT_SECONDS = 10.0
_QUERY_SECONDS = 60.0
_RETRY = DEFAULT_RETRY.with_timeout(_TIMEOUT_SECONDS)
_LOG = logging.getLogger(__name__)


class SettingsTable:
    """A SettingsSource over the view. Copies in one worker process share the result."""

    def __init__(self, dataset: Dataset, refresh_seconds: float) -> None:
        self._dataset = dataset
        self._refresh_seconds = refresh_seconds
        self._shared = Shared()
        self._reading: Reading | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_reading": None}

    def open(self) -> None:
        """Reads the view unless this process has read it; waits during an outage.

        Raises:
            ValueError: two rows have the same test_id.
        """
        read = functools.partial(read_table, self._dataset)
        self._reading = self._shared.acquire(
            lambda: retry_transient("BigQuery", Reading, read, self._refresh_seconds)
        )

    def current(self) -> LatenessSettings:
        """The settings as last read."""
        assert self._reading is not None  # noqa: S101 - open() comes first, in setup
        return self._reading.current()


class Reading:
    """Settings that are refreshed when they are old; if that fails, the previous ones are kept."""

    def __init__(
        self,
        read: Callable[[], LatenessSettings],
        refresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._age = metrics.gauge(metrics.SETTINGS_AGE_SECONDS)
        self._settings = read()
        self._read_at = self._next_at = clock()
        self._next_at += refresh_seconds

    def current(self) -> LatenessSettings:
        """The settings as last read; one thread at a time refreshes them."""
        if self._clock() >= self._next_at and self._lock.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return self._settings

    def _refresh(self) -> None:
        try:
            self._settings = self._read()
            self._read_at = self._clock()
        except (
            Exception
        ) as error:  # whatever it is, the event that triggered the refresh is not at fault
            _LOG.warning(
                "the lateness settings cannot be refreshed (%s): keeping the previous ones",
                type(error).__name__,
            )
        self._next_at = self._clock() + self._refresh_seconds
        self._age.set(int(self._clock() - self._read_at))


def read_table(dataset: Dataset) -> LatenessSettings:
    """Reads the whole view by a query.

    Raises:
        ValueError: two rows have the same test_id.
        google.api_core.exceptions.GoogleAPICallError: the view cannot be read.
    """
    with bigquery_client(dataset.project) as client, gateways_answer_as_outage():
        sql = f"SELECT * FROM `{dataset.table(LATENESS_RULES)}`"  # noqa: S608
        job = client.query(sql, retry=_RETRY, job_retry=None, timeout=_TIMEOUT_SECONDS)
        return settings_of(job.result(retry=_RETRY, job_retry=None, timeout=_QUERY_SECONDS))


def settings_of(rows: Iterable[Mapping[str, Any]]) -> LatenessSettings:
    """Rows (test_id, duration_seconds, grace_seconds) as settings.

    Raises:
        ValueError: two rows have the same test_id.
    """
    tests: dict[str | None, SettingsRow] = {}
    for row in rows:
        if row["test_id"] in tests:
            raise ValueError(f"{LATENESS_SETTINGS} has two rows for one test")
        tests[row["test_id"]] = SettingsRow(row["duration_seconds"], row["grace_seconds"])
    default = tests.pop(None, SettingsRow())
    return LatenessSettings(default, {name: row for name, row in tests.items() if name})
