"""Reads messages from a Pub/Sub subscription."""

import dataclasses
import datetime as dt

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub

from schemas.message import Message


@dataclasses.dataclass(frozen=True)
class SubscriptionInput:
    """A subscription to stream from.

    Attributes:
        name: projects/PROJECT/subscriptions/NAME.
        id_label: message attribute by which Dataflow drops copies; None for none.
    """

    name: str
    id_label: str | None = None


class ReadSubscription(beam.PTransform):
    """The messages of a subscription, unbounded."""

    def __init__(self, subscription: SubscriptionInput) -> None:
        super().__init__()
        self._input = subscription

    def expand(self, input_or_inputs: beam.Pipeline) -> beam.PCollection[Message]:
        """Returns the messages of the subscription."""
        received = input_or_inputs | "FromPubSub" >> ReadFromPubSub(
            subscription=self._input.name, id_label=self._input.id_label, with_attributes=True
        )
        return received | "ToMessage" >> beam.Map(
            from_pubsub, source=self._input.name
        ).with_output_types(Message)


def from_pubsub(received: PubsubMessage, source: str) -> Message:
    """Converts a message of Beam's Pub/Sub source.

    Its publish time is a subclass of datetime with nanoseconds, which our coders do not know; it
    becomes a plain datetime.
    """
    published = received.publish_time
    return Message(
        payload=received.data,
        message_id=received.message_id,
        publish_time=dt.datetime.combine(published.date(), published.timetz()),
        attributes=dict(received.attributes or {}),
        source=source,
    )
