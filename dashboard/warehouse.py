"""Queries to BigQuery: read-only, capped, cached, each failure as one sentence for the reader."""

import collections
import concurrent.futures
import dataclasses
import datetime as dt
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound
from google.cloud import bigquery

from dashboard.queries import Query
from gcp.clients import EMULATOR_VARIABLE
from gcp.errors import SERVICE_ERRORS, explain

_LOG = logging.getLogger(__name__)

# Seconds. A reader waits; the client's own limits are ten minutes. An emulator answers a request
# when the query is done, and one query after the other.
_RETRY_SECONDS, _ANSWER_SECONDS = 5, 30
# Seconds that an answer is kept: while its dates go on, when they are over, and a failure.
LIVE_SECONDS, PAST_SECONDS, FAILURE_SECONDS = 10.0, 3_600.0, 5.0
_MOST_ANSWERS = 1_000
_OUTAGES = (429, 500, 502, 503, 504)
# A missing table function is a mistake in the query, by BigQuery's words and its emulator's.
_NO_FUNCTION = re.compile(
    r"table-valued function not found|table function with name \S+ does not exist", re.IGNORECASE
)
_COLUMN = re.compile(r"\bcolumns? [`'\"]?([\w.:-]+)")


class PanelError(Exception):
    """A query has no answer; the message is for the reader, ``status`` for a program."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Answer:
    """The rows of a query.

    Attributes:
        rows: column to value.
        bytes_scanned: what the query read; None where it is not known (emulators do not say).
        at: when the query ran.
    """

    rows: list[dict[str, Any]]
    bytes_scanned: int | None
    at: dt.datetime


class Warehouse:
    """Runs queries, one at a time for each text, and keeps their answers for a while.

    Safe to call from several threads.
    """

    def __init__(
        self,
        client: bigquery.Client,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: collections.OrderedDict[Query, _Kept] = collections.OrderedDict()

    def ask(self, query: Query, live: bool) -> Answer:
        """The answer, at most as old as the cache keeps it.

        Args:
            query: what to ask.
            live: whether its dates include today.

        Raises:
            PanelError: there is none.
        """
        with self._lock:
            kept = self._kept.setdefault(query, _Kept())
            self._kept.move_to_end(query)
            while len(self._kept) > _MOST_ANSWERS:
                self._kept.popitem(last=False)
        # Whoever else asks the same meanwhile waits here, and takes this answer.
        with kept.lock:
            if kept.outcome is None or self._clock() >= kept.expires:
                kept.outcome = self._outcome(query)
                seconds = LIVE_SECONDS if live else PAST_SECONDS
                if isinstance(kept.outcome, PanelError):
                    seconds = FAILURE_SECONDS
                kept.expires = self._clock() + seconds
            if isinstance(kept.outcome, PanelError):
                raise PanelError(str(kept.outcome), kept.outcome.status)
            return kept.outcome

    def _outcome(self, query: Query) -> "Answer | PanelError":
        try:
            return self._run(query)
        except concurrent.futures.TimeoutError:
            text = f"The query took longer than {_ANSWER_SECONDS} seconds: choose fewer days."
            return PanelError(text, 504)
        except SERVICE_ERRORS as error:
            _LOG.warning("a query failed: %s", explain(error))
            return _for_the_reader(error, self._max_bytes)

    def _run(self, query: Query) -> Answer:
        config = bigquery.QueryJobConfig(
            query_parameters=query.bigquery_parameters,
            maximum_bytes_billed=self._max_bytes,
            labels={"component": "dashboard"},
        )
        retry = bigquery.DEFAULT_RETRY.with_timeout(_RETRY_SECONDS)
        job = self._client.query(
            query.sql, job_config=config, retry=retry, job_retry=None, timeout=_ANSWER_SECONDS
        )
        try:
            rows = job.result(retry=retry, job_retry=None, timeout=_ANSWER_SECONDS)
        except concurrent.futures.TimeoutError:
            job.cancel(retry=retry, timeout=_RETRY_SECONDS)
            raise
        answer = [dict(row.items()) for row in rows]
        scanned = None if os.environ.get(EMULATOR_VARIABLE) else job.total_bytes_processed
        return Answer(answer, scanned, dt.datetime.now(dt.UTC))


@dataclasses.dataclass
class _Kept:
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    outcome: Answer | PanelError | None = None
    expires: float = 0.0


def _for_the_reader(error: Exception, max_bytes: int) -> PanelError:
    """What a reader can do about the error; the log has the whole of it."""
    text = str(error)
    if isinstance(error, NotFound) or _NO_FUNCTION.search(text):
        return PanelError(
            "There is no data yet: the tables have not been created, or not all of them.", 404
        )
    if isinstance(error, GoogleAPICallError) and "ytesBilled" in text + repr(error.errors):
        return PanelError(
            f"The panel would read more than {max_bytes / 1e9:,.1f} GB, the most that this page "
            "may: choose fewer days.",
            413,
        )
    if isinstance(error, Forbidden):
        column = _COLUMN.search(text)
        if column:
            name = column[1].rstrip(".").rpartition(".")[2]
            return PanelError(
                f"You may not see the column {name}: ask whoever runs the warehouse for access.",
                403,
            )
        return PanelError(
            "This page has no permission to read these tables: ask whoever runs it.", 403
        )
    if not isinstance(error, GoogleAPICallError) or (error.code or 503) in _OUTAGES:
        return PanelError(
            "The warehouse does not answer. The panel tries again by itself; nothing is lost.", 503
        )
    return PanelError("The warehouse rejected the query: its reason is in the page's log.", 500)
