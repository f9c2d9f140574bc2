"""Reads an operational PostgreSQL in a pipeline."""

import logging
import sys
from collections.abc import Iterator, Sequence

import apache_beam as beam
from sqlalchemy.engine import Engine

from pipeline.sources.postgres.engine import get_engine
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.postgres.messages import RowMapper, SourceRow, pulled_message
from pipeline.sources.postgres.plan import Pull, Range, ranges
from pipeline.sources.postgres.read import read_range
from schemas import coders, metrics
from schemas.message import Message

_LOG = logging.getLogger(__name__)
RANGES_PLANNED, RANGES_READ, ROWS_READ = "ranges_planned", "ranges_read", "rows_read"


class ReadPostgres(beam.PTransform):
    """The messages of one pull, distributed to the workers by ranges of primary keys.

    ``others`` are messages that no row gives, such as those of deleted rows.
    """

    def __init__(self, source: PostgresInput, pull: Pull, others: Sequence[Message] = ()) -> None:
        super().__init__()
        self._source, self._pull, self._others = source, pull, others

    def expand(self, input_or_inputs: beam.Pipeline) -> beam.PCollection[Message]:
        """Returns the messages of all rows that the pull selects."""
        coders.register([Range, SourceRow, Message])
        messages: beam.PCollection[Message] = (
            input_or_inputs
            | "Impulse" >> beam.Impulse()
            | "Plan" >> beam.ParDo(PlanRanges(self._source, self._pull)).with_output_types(Range)
            # Breaks fusion, so that the ranges are distributed to the workers.
            | "ShareOut" >> beam.Reshuffle()
            | "Read"
            >> beam.ParDo(ReadRanges(self._source, self._pull)).with_output_types(SourceRow)
            | "Message"
            >> beam.ParDo(MakeMessages(self._source, self._pull)).with_output_types(Message)
        )
        if not self._others:
            return messages
        others = input_or_inputs | "Others" >> beam.Create(self._others)
        return (messages, others) | "WithOthers" >> beam.Flatten()


class _Connected(beam.DoFn):
    """Has the database's engine, made on the worker: it holds a password."""

    _engine: Engine

    def __init__(self, source: PostgresInput, pull: Pull) -> None:
        self._source, self._pull = source, pull

    def setup(self) -> None:
        self._engine = get_engine(self._source.env)

    def teardown(self) -> None:
        self._engine.dispose()


class PlanRanges(_Connected):
    """Impulse -> the ranges of every table."""

    def process(self, element: bytes) -> Iterator[Range]:
        """Splits each table."""
        planned = metrics.counter(RANGES_PLANNED)
        for name in self._source.tables():
            for part in ranges(self._engine, self._source, self._pull, name):
                planned.inc()
                yield part


class ReadRanges(_Connected):
    """Range -> its rows."""

    def process(self, element: Range) -> Iterator[SourceRow]:
        """Reads the range."""
        rows = metrics.counter(ROWS_READ)
        for row in read_range(self._engine, self._source, self._pull, element):
            rows.inc()
            yield row
        metrics.counter(RANGES_READ).inc()
        if sys.stderr.isatty():  # somebody is watching
            _LOG.info("%s: %d of %d ranges read", element.table, element.number, element.count)


class MakeMessages(beam.DoFn):
    """Row -> its messages."""

    _mapper: RowMapper

    def __init__(self, source: PostgresInput, pull: Pull) -> None:
        self._source, self._pull = source, pull

    def setup(self) -> None:
        """Asks for the key of pseudonyms."""
        key, tables = self._source.pseudonym_key, self._pull.queries.tables
        self._mapper = RowMapper(
            {name: found.table for name, found in tables.items()},
            self._source.families,
            self._source.mapping.time_zone,
            key() if key is not None else None,
        )

    def process(self, element: SourceRow) -> Iterator[Message]:
        """Makes the messages of the row."""
        source = f"postgres:{element.table}"
        for event in self._mapper.events(element, self._pull.began):
            yield pulled_message(event, self._pull.began, source)
