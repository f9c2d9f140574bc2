"""One pull of an operational PostgreSQL: where it begins, what was deleted, and its log."""

import contextlib
import dataclasses
import datetime as dt
import logging
from collections.abc import Iterator, Mapping

import apache_beam as beam
from sqlalchemy.engine import Engine

from gcp.clients import bigquery_client
from gcp.errors import SERVICE_ERRORS, explain
from gcp.runs import Outcome, Run, RunLog, Status
from pipeline.config import Config
from pipeline.pseudonym.keys import PseudonymKeys
from pipeline.sources.postgres.deleted_rows import DeletedRows
from pipeline.sources.postgres.engine import get_engine
from pipeline.sources.postgres.input import PostgresInput, SourceError
from pipeline.sources.postgres.messages import DIMENSION_CHANGE, pulled_message
from pipeline.sources.postgres.plan import Pull, PullState, begin
from pipeline.sources.postgres.source import ROWS_READ, ReadPostgres
from schemas import metrics
from schemas.message import Message

PULL, BACKFILL = "postgres_pull", "postgres_backfill"
_LOG = logging.getLogger(__name__)
# Before a row of the same key that this pull reads.
_MOMENT = dt.timedelta(microseconds=1)


@dataclasses.dataclass
class PullRun:
    """A pull in the log of runs."""

    source: PostgresInput
    log: RunLog
    run: Run
    pseudonyms: PseudonymKeys | None = None
    state: PullState | None = None
    outcome: Outcome | None = None
    deleted: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def begin(self) -> beam.PTransform:
        """Decides what is read; returns the transform that reads it.

        Raises:
            SourceError: the database is unreachable, refuses, or lacks a table or a column.
        """
        engine = get_engine(self.source.env)
        last = None if self.source.is_backfill else self.log.last_details(PULL, self.source.env)
        pull = begin(engine, self.source, PullState.of(last) if last else None)
        self.state = pull.state
        deleted: list[Message] = []
        if pull.state is not None and (
            self.source.full or DIMENSION_CHANGE in self.source.families
        ):
            deleted = self._look_for_deleted(engine, pull, pull.state)
        engine.dispose()
        return ReadPostgres(self.source, pull, deleted)

    def _look_for_deleted(self, engine: Engine, pull: Pull, state: PullState) -> list[Message]:
        """The messages of deleted rows of dimensions; reports deleted rows of the other tables."""
        if others := self.log.environments(PULL) - {self.source.env}:
            _LOG.warning(
                "deleted rows are not looked for: the dataset has rows of environment %s too",
                min(other or "(without a name)" for other in others),
            )
            return []
        chain = None if self.pseudonyms is None else self.pseudonyms.read()
        rows = DeletedRows(self.log.client, self.log.dataset, engine, self.source, pull, chain)
        if self.source.full:
            self.deleted = rows.facts()
            for name, count in self.deleted.items():
                _LOG.warning("%d rows of %s are deleted: their events stay", count, name)
        found = list(rows.dimensions(str(state.next_since), pull.began - _MOMENT))
        if students := sum(name == "students" for name, _ in found):
            _LOG.warning(
                "%d students are deleted, and stay in the warehouse until they are erased: "
                "students_dim lists them where is_current and is_deleted",
                students,
            )
        return [pulled_message(event, pull.began, f"postgres:{name}") for name, event in found]

    def succeed(self, counters: Mapping[str, int]) -> None:
        """Notes that everything is written."""
        self.outcome = Outcome(
            rows_read=counters.get(ROWS_READ, 0),
            rows_written=counters.get(metrics.WRITTEN, 0),
            records_failed=counters.get(metrics.DEAD_LETTERS_WRITTEN, 0),
            retry_count=counters.get(metrics.OUTAGE_RETRIES, 0),
            details=self.state.details() | {"deleted": self.deleted} if self.state else None,
        )


@contextlib.contextmanager
def logged(config: Config, source: PostgresInput) -> Iterator[PullRun]:
    """A pull that is logged: as failed, unless the body lets it succeed.

    Raises:
        SourceError: the log of runs cannot be read or written.
    """
    run = Run(
        pipeline_name=BACKFILL if source.is_backfill else PULL,
        env=source.env,
        window_start=source.start,
        window_end=source.end,
    )
    with bigquery_client(config.dataset.project) as client:
        pull = PullRun(source, RunLog(client, config.dataset), run, config.pseudonyms)
        try:
            pull.log.started(run)
            yield pull
            outcome = pull.outcome or Outcome(error_message="dead letters were rejected")
            status = Status.SUCCEEDED if pull.outcome else Status.FAILED
            pull.log.ended(run, status, outcome)
        except SERVICE_ERRORS as error:
            _fail(pull, explain(error))
            raise SourceError(explain(error)) from None
        except BaseException as error:
            _fail(pull, _reason(error))
            raise


def _fail(pull: PullRun, reason: str) -> None:
    try:
        pull.log.ended(pull.run, Status.FAILED, Outcome(error_message=reason))
    except SERVICE_ERRORS as error:
        _LOG.warning("the log of runs does not have this failure: %s", explain(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, SourceError):
        return str(error).partition(" [while running")[0]
    if isinstance(error, Exception):
        return type(error).__name__  # its text may quote a row
    return "interrupted"
