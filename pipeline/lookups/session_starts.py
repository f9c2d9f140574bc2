"""The session starts of earlier batches: cached, or else looked up in the warehouse."""

import datetime as dt
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from apache_beam.utils.shared import Shared
from google.cloud import bigquery

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from gcp.retry import gateways_answer_as_outage, retry_transient
from schemas.dates import MARGIN
from schemas.families import DEFAULT_FAMILY
from schemas.lateness import StartRecord
from transforms.lateness.rule import earlier
from transforms.lateness.steps import WaitingSession

MAX_SESSIONS = 50_000
_TIMEOUT_SECONDS = 60.0
_QUERY_SECONDS = 300.0
# Caps the partitions that one query reads if the clock of a device is years off.
_MAX_SPAN = dt.timedelta(days=30)
_LOG = logging.getLogger(__name__)

# By session id; the least recently seen comes first.
_Known: TypeAlias = OrderedDict[str, StartRecord | None]


class SessionStartCache:
    """A StartSource: a cache of the sessions last seen, and one query per batch for the others.

    That a session has no start in the warehouse is cached too: a later start passes through this
    process. It is not cached if the query failed, or did not read the dates of the session's
    events.
    While BigQuery is unreachable the query waits, as the rows would. Pickled copies in this process
    share the cache for as long as the first of them exists.
    """

    def __init__(self, dataset: Dataset, max_sessions: int = MAX_SESSIONS) -> None:
        self._dataset = dataset
        self._max_sessions = max_sessions
        self._shared = Shared()
        self._known: _Known | None = self._shared.acquire(_Known)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_known": None}

    def find(self, sessions: Mapping[str, WaitingSession]) -> Mapping[str, StartRecord | None]:
        """The start record of each of these sessions; None if there is none."""
        if self._known is None:
            self._known = self._shared.acquire(_Known)
        known = self._known
        unknown = {
            session_id: session
            for session_id, session in sessions.items()
            if session.start is None and session_id not in known
        }
        if unknown:
            known.update(self._look_up(unknown))
        found = {}
        for session_id, session in sessions.items():
            start = earlier(session.start, known.get(session_id))
            if start is not None or session_id in known:
                known[session_id] = start
                known.move_to_end(session_id)
            found[session_id] = start
        while len(known) > self._max_sessions:
            known.popitem(last=False)
        return found

    def _look_up(self, sessions: Mapping[str, WaitingSession]) -> Mapping[str, StartRecord | None]:
        """The start records in the warehouse; None if there is none, no entry if unknown."""
        spans = {session_id: _span(session) for session_id, session in sessions.items()}
        last = max(latest for _, latest in spans.values())
        first = max(min(earliest for earliest, _ in spans.values()), last - _MAX_SPAN)
        asked = [session_id for session_id, (_, latest) in spans.items() if latest >= first]
        tests = {one.event.test_id for session_id in asked for one in sessions[session_id].events}
        try:
            starts = retry_transient(
                "BigQuery", query, self._dataset, asked, sorted(tests), first, last
            )
        except Exception as error:
            # No message fails because of this: the view events recomputes the lateness.
            _LOG.error("session starts are not looked up: %s", type(error).__name__)
            return {}
        return {
            session_id: starts.get(session_id)
            for session_id in asked
            if session_id in starts or spans[session_id][0] >= first
        }


def _span(session: WaitingSession) -> tuple[dt.datetime, dt.datetime]:
    moments = [accepted.event.client_ts for accepted in session.events]
    return min(moments), max(moments)


def query(
    dataset: Dataset,
    sessions: Sequence[str],
    tests: Sequence[str],
    first: dt.datetime,
    last: dt.datetime,
    *,
    dry_run: bool = False,
) -> Mapping[str, StartRecord]:
    """The start records that the warehouse has of these sessions.

    Args:
        dataset: where the fact table is.
        sessions: their ids.
        tests: the ids of their tests.
        first: client_ts of the earliest event to judge.
        last: client_ts of the latest; the partitions of MARGIN around are read, too.
        dry_run: only checks that the query would run.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: BigQuery rejects the query.
        OSError: BigQuery does not answer, or not in time.
    """
    config = bigquery.QueryJobConfig(
        query_parameters=parameters(sessions, tests, first, last), dry_run=dry_run
    )
    with gateways_answer_as_outage(), bigquery_client(dataset.project) as client:
        sql = statement(dataset)
        job = client.query(sql, config, retry=None, job_retry=None, timeout=_TIMEOUT_SECONDS)
        if dry_run:
            return {}
        rows = job.result(retry=None, job_retry=None, timeout=_QUERY_SECONDS)
        return {
            row["session_id"]: StartRecord(
                **{name: row[name] for name in StartRecord.__struct_fields__}
            )
            for row in rows
        }


def statement(dataset: Dataset) -> str:
    """The query over the fact table of the family that has sessions; see ``parameters``."""
    return dataset.statement(__package__, "session_starts.sql", table=DEFAULT_FAMILY.table)


def parameters(
    sessions: Sequence[str], tests: Sequence[str], first: dt.datetime, last: dt.datetime
) -> list[bigquery.ArrayQueryParameter | bigquery.ScalarQueryParameter]:
    """The query parameters; see ``query``.

    The margin is that of the views: a session may begin days before its events, or after them by
    the device's clock.
    """
    return [
        bigquery.ArrayQueryParameter("sessions", "STRING", list(sessions)),
        bigquery.ArrayQueryParameter("tests", "STRING", list(tests)),
        bigquery.ScalarQueryParameter("first_date", "DATE", _date(first) - MARGIN),
        bigquery.ScalarQueryParameter("last_date", "DATE", _date(last) + MARGIN),
    ]


def _date(moment: dt.datetime) -> dt.date:
    return moment.astimezone(dt.UTC).date()
