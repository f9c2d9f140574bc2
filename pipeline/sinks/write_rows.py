"""The sink: writes elements as rows of a BigQuery table.

It is fused with the steps before it, so that a bundle ends, and on Dataflow is acknowledged, only
when its rows are written.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.typehints.decorators import no_annotations
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.sinks.row_writer import RowWriter
from schemas import metrics
from schemas.errors import Rejection
from schemas.message import Message
from transforms.dead_letters import internal_error
from transforms.rows import Row, RowMaker

_LOG = logging.getLogger(__name__)
# The size of one append; and the limits of what is in flight before the sink waits, so that memory
# is bounded whatever the size of the bundle.
_APPEND_ROWS = 500
_APPEND_BYTES = 1_000_000
_FLUSH_ROWS = 10_000
_FLUSH_BYTES = 20_000_000

Element = TypeVar("Element")
Rejected = tuple[Message, Rejection]


class WriteRows(beam.PTransform):
    """Collections of elements -> (Message, Rejection) of those that did not become a row.

    The kind is internal_error if no row could be built, rejected_by_warehouse if the table does not
    accept it.
    """

    def __init__(self, maker: RowMaker[Any], writer: RowWriter, *written: str) -> None:
        """Takes the row maker, the writer, and the names of the counters of rows written."""
        super().__init__()
        self._fn = _WriteFn(maker, writer, written)

    @no_annotations
    def expand(
        self, input_or_inputs: tuple[beam.PCollection[Any], ...]
    ) -> beam.PCollection[tuple[Message, Rejection]]:
        """Writes each collection in its own step; returns the rejected messages of all."""
        rejected = tuple(
            elements | f"Write{number}" >> beam.ParDo(self._fn).with_output_types(Rejected)
            for number, elements in enumerate(input_or_inputs)
        )
        return rejected | "Refused" >> beam.Flatten()


class CountRefused(beam.PTransform):
    """Logs and counts dead letters that the table rejects; the topic, if any, has them."""

    def expand(self, input_or_inputs: beam.PCollection[Rejected]) -> beam.PCollection[Any]:
        """Logs and counts each; the output is empty."""
        return input_or_inputs | beam.ParDo(_CountRefusedFn())


class _WriteFn(beam.DoFn):
    def __init__(self, maker: RowMaker[Any], writer: RowWriter, written: Iterable[str]) -> None:
        self._maker = maker
        self._writer = writer
        self._written = [metrics.counter(name) for name in written]

    def setup(self) -> None:
        self._writer.open()

    def start_bundle(self) -> None:
        self._writer.flush()  # drops what a failed bundle left behind
        self._rows: list[Row] = []
        self._row_bytes = 0
        self._messages: list[Message] = []
        self._bytes = 0

    def process(self, element: Any) -> Iterator[Rejected]:
        message = self._maker.message(element)
        try:
            row = self._maker.row(element)
        except Exception as error:
            _LOG.error("building a row failed on a message: %s", type(error).__name__)
            yield message, internal_error(error)
            return
        self._rows.append(row)
        self._messages.append(message)
        self._row_bytes += len(message.payload)
        if len(self._rows) == _APPEND_ROWS or self._row_bytes > _APPEND_BYTES:
            self._append()
            if len(self._messages) >= _FLUSH_ROWS or self._bytes > _FLUSH_BYTES:
                yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        self._append()
        window = GlobalWindow()
        for rejected in self._flush():
            yield WindowedValue(rejected, window.max_timestamp(), [window])

    def teardown(self) -> None:
        self._writer.close()

    def _append(self) -> None:
        if self._rows:
            self._writer.append(self._rows)
            self._bytes += self._row_bytes
            self._rows, self._row_bytes = [], 0

    def _flush(self) -> Iterator[Rejected]:
        rejected = self._writer.flush()
        for counter in self._written:
            counter.inc(len(self._messages) - len(rejected))
        for position, rejection in rejected:
            yield self._messages[position], rejection
        self._messages, self._bytes = [], 0


class _CountRefusedFn(beam.DoFn):
    def __init__(self) -> None:
        self._rejected = metrics.counter(metrics.DEAD_LETTER_ROWS_REFUSED)

    def process(self, element: Rejected) -> None:
        # The reason is not logged: BigQuery's text quotes the row.
        _LOG.error("a dead letter could not be written to the table: %s", element[1].kind)
        self._rejected.inc()
