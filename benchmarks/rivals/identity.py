"""The floor of the graph: its source and its sink, and between them a map that changes nothing.

Every message becomes a row: one that was made beforehand, with the message's own id. What the sink
is given is therefore as large as what ours gives it. ``python -m benchmarks.rivals.identity`` runs
it with the options of ``pipeline.main``.
"""

import datetime as dt
import sys
from collections.abc import Sequence

import apache_beam as beam

from benchmarks.harness.traffic import payloads
from pipeline import graph, options
from pipeline.config import Config
from pipeline.sinks.write_rows import WriteRows
from schemas import coders
from schemas.errors import Rejection
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from schemas.family import EventFamily
from schemas.message import Message
from transforms.decoding.decode import Decoder
from transforms.lateness.rule import judge
from transforms.rows import FactRows, Row


class ReadyRows:
    """A RowMaker that gives every message the same row but for its id and publish time."""

    def __init__(self, family: EventFamily) -> None:
        facts = FactRows(family, "0")
        self.columns = facts.columns
        now = dt.datetime.now(dt.UTC)
        (payload,) = payloads(1)
        message = Message(payload=payload, message_id="", publish_time=now, source="")
        event, extra = Decoder(family).decode(payload)
        valid = family.valid_event(message=message, event=event, extra=extra)
        row = facts.build(valid, judge(event), now)
        published, named = map(self.columns.index, ("publish_ts", "message_id"))
        self._before, self._after = row[:published], row[named + 1 :]
        self._between = row[published + 1 : named]

    def row(self, element: Message) -> Row:
        """The row."""
        return (
            *self._before,
            element.publish_time,
            *self._between,
            element.message_id,
            *self._after,
        )

    def message(self, element: Message) -> Message:
        """The element."""
        return element


def build(pipeline: beam.Pipeline, config: Config) -> None:
    """Adds the floor to a pipeline."""
    coders.register([Message, Rejection])
    rows = ReadyRows(EXAM_EVENT)
    writer = graph.WRITERS[config.write_method](
        config.dataset, EXAM_EVENT.table, rows.columns, "ingest_ts"
    )
    messages = pipeline | "ReadMessages" >> graph.read(config.input)
    same = messages | "Identity" >> beam.Map(_same).with_output_types(Message)
    _ = (same,) | "WriteFacts" >> WriteRows(rows, writer, "written")


def _same(message: Message) -> Message:
    return message


def main(argv: Sequence[str]) -> None:
    """Runs the floor to its end, or until it is stopped."""
    config, beam_options = options.parse(argv)
    pipeline = beam.Pipeline(options=beam_options)
    build(pipeline, config)
    pipeline.run().wait_until_finish()


if __name__ == "__main__":
    main(sys.argv[1:])
