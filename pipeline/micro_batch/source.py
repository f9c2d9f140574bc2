"""The messages of the batch at hand, as the source of a pipeline in this process."""

from collections.abc import Iterator, Sequence

import apache_beam as beam
from google.cloud.pubsub_v1.subscriber.message import Message as PubSubMessage

from pipeline.micro_batch.by_reference import ByReference
from schemas.message import Message


class Batch(ByReference):
    """What the next run reads.

    Attributes:
        messages: as they were pulled.
        failure: what the graph failed with on them, for the pipeline that tells of it.
    """

    def __init__(self, subscription: str) -> None:
        self._subscription = subscription
        self.messages: Sequence[PubSubMessage] = ()
        self.failure: BaseException = RuntimeError()

    def read(self) -> Iterator[Message]:
        """The messages in our own form."""
        for pulled in self.messages:
            yield Message(
                payload=pulled.data,
                message_id=pulled.message_id,
                publish_time=pulled.publish_time,
                attributes=dict(pulled.attributes),
                source=self._subscription,
            )


class ReadBatch(beam.PTransform):
    """The messages of the batch. A reading DoFn: beam.Create would encode each of them first."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self._batch = batch

    def expand(self, input_or_inputs: beam.Pipeline) -> beam.PCollection[Message]:
        """Wires the step."""
        read = beam.ParDo(_ReadFn(self._batch)).with_output_types(Message)
        return input_or_inputs | "Once" >> beam.Impulse() | "Read" >> read


class _ReadFn(beam.DoFn):
    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def process(self, element: bytes) -> Iterator[Message]:
        yield from self._batch.read()
