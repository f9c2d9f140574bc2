"""The session starts of earlier batches: remembered, or else looked up in the warehouse."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence

from google.cloud import bigquery

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from gcp.retry import gateways_answer_as_outage, retry_transient
from pipeline.micro_batch.by_reference import ByReference
from schemas.lateness import StartRecord
from transforms.lateness.rule import earlier

SQL = "session_starts.sql"
MAX_SESSIONS = 50_000
_TIMEOUT_SECONDS = 60.0
_QUERY_SECONDS = 300.0
# As the views do: a session may begin eight days before its events, or after them by its clock.
_REACH = dt.timedelta(days=8)
# One device whose clock is years off must not have each question read years.
_MAX_SPAN = dt.timedelta(days=30)
_LOG = logging.getLogger(__name__)


class SessionStartCache(ByReference):
    """A StartSource: the last sessions that were seen, and one question a batch for the others.

    That a session has no start in the warehouse is remembered too: a later one comes this way.
    While BigQuery is away the question waits, as the rows would.
    """

    def __init__(self, dataset: Dataset, max_sessions: int = MAX_SESSIONS) -> None:
        self._dataset = dataset
        self._max_sessions = max_sessions
        self._known: dict[str, StartRecord | None] = {}  # the least recently seen comes first

    def find(
        self, sessions: Mapping[str, StartRecord | None], moments: Sequence[dt.datetime]
    ) -> Mapping[str, StartRecord | None]:
        """The start record of each of these sessions, where there is one."""
        unasked = [
            session_id
            for session_id, start in sessions.items()
            if start is None and session_id not in self._known
        ]
        asked = self._ask(unasked, moments) if unasked else {}
        found = {
            session_id: earlier(start, self._known.pop(session_id, asked.get(session_id)))
            for session_id, start in sessions.items()
        }
        self._known.update(found)
        for session_id in list(self._known)[: max(0, len(self._known) - self._max_sessions)]:
            del self._known[session_id]
        return found

    def _ask(
        self, sessions: Sequence[str], moments: Sequence[dt.datetime]
    ) -> Mapping[str, StartRecord]:
        last = max(moments)
        first = max(min(moments), last - _MAX_SPAN)
        try:
            return retry_transient("BigQuery", query, self._dataset, sessions, first, last)
        except Exception as error:
            # No message is to fail for that: the view events settles it.
            _LOG.error("session starts are not looked up: %s", type(error).__name__)
            return {}


def query(
    dataset: Dataset,
    sessions: Sequence[str],
    first: dt.datetime,
    last: dt.datetime,
    *,
    dry_run: bool = False,
) -> Mapping[str, StartRecord]:
    """The start records that the warehouse has of these sessions.

    Args:
        dataset: where events_fact is.
        sessions: their ids.
        first: client_ts of the earliest event that asks.
        last: of the latest; partitions of eight days around are read.
        dry_run: only asks whether the question may be asked.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: BigQuery refuses it.
        OSError: BigQuery is not reached, or not in time.
    """
    config = bigquery.QueryJobConfig(
        query_parameters=parameters(sessions, first, last), dry_run=dry_run
    )
    with gateways_answer_as_outage(), bigquery_client(dataset.project) as client:
        sql = dataset.statement(__package__, SQL)
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


def parameters(
    sessions: Sequence[str], first: dt.datetime, last: dt.datetime
) -> list[bigquery.ArrayQueryParameter | bigquery.ScalarQueryParameter]:
    """What the question asks for; see ``query``."""
    return [
        bigquery.ArrayQueryParameter("sessions", "STRING", list(sessions)),
        bigquery.ScalarQueryParameter("first_date", "DATE", _date(first) - _REACH),
        bigquery.ScalarQueryParameter("last_date", "DATE", _date(last) + _REACH),
    ]


def _date(moment: dt.datetime) -> dt.date:
    return moment.astimezone(dt.UTC).date()
