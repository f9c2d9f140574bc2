"""The messages of the current batch, as the source of a pipeline in this process."""

from collections.abc import Iterator, Sequence

import apache_beam as beam
from apache_beam.utils.shared import Shared
from google.cloud.pubsub_v1.subscriber.message import Message as PubSubMessage

from schemas.message import Message


class Batch:
    """The batch that the next run reads.

    Attributes:
        messages: as they were pulled.
    """

    def __init__(self, subscription: str) -> None:
        self._subscription = subscription
        self.messages: Sequence[PubSubMessage] = ()

    def read(self) -> Iterator[Message]:
        """Yields the messages as Message."""
        for pulled in self.messages:
            yield Message(
                payload=pulled.data,
                message_id=pulled.message_id,
                publish_time=pulled.publish_time,
                attributes=dict(pulled.attributes),
                source=self._subscription,
            )


class ReadBatch(beam.PTransform):
    """The messages of the batch. Read by a DoFn: beam.Create would encode each of them first.

    They are not part of the pickled DoFn either, which Beam compresses at every run.
    """

    def __init__(self, batch: Shared) -> None:
        """Takes the handle of the batch, which the caller has acquired and keeps."""
        super().__init__()
        self._batch = batch

    def expand(self, input_or_inputs: beam.Pipeline) -> beam.PCollection[Message]:
        """Returns the messages of the batch, read again at each run."""
        read = beam.ParDo(_ReadFn(self._batch)).with_output_types(Message)
        return input_or_inputs | "Once" >> beam.Impulse() | "Read" >> read


class _ReadFn(beam.DoFn):
    def __init__(self, batch: Shared) -> None:
        self._batch = batch

    def process(self, element: bytes) -> Iterator[Message]:
        yield from self._batch.acquire(_missing).read()


def _missing() -> Batch:
    # An empty batch in its place would be acknowledged without having been written.
    raise RuntimeError("a batch is read only where it is held")
