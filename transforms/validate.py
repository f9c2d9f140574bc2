"""Validates a message: a valid event, or the error."""

import dataclasses
import datetime as dt

from schemas.event_time import EventTimeBounds
from schemas.family import EventFamily
from schemas.message import Message, ValidEvent
from transforms.decoding.decode import Decoder, too_large
from transforms.identity import with_event_id


@dataclasses.dataclass(frozen=True)
class Validator:
    """The contract of one family, types and rules. Create it once per worker.

    Attributes:
        identity_key: of the ids that events without one get, see ``transforms.identity``.
    """

    family: EventFamily
    bounds: EventTimeBounds
    decoder: Decoder
    identity_key: bytes | None = dataclasses.field(default=None, repr=False)

    def validate(self, message: Message, now: dt.datetime) -> ValidEvent:
        """The event of a message.

        Args:
            message: as received.
            now: the clock, UTC. Event time is held against it as well as against the publish
                time, since BigQuery rejects rows far from today.

        Raises:
            ContractError: the message breaks the contract.
        """
        if message.size is not None:  # the payload is only the beginning of the message
            raise too_large()
        event, extra = self.decoder.decode(message.payload)
        name = self.family.event_time
        if name is not None:
            event_time = getattr(event, name)
            self.bounds.check(name, event_time, message.publish_time, "publish time")
            self.bounds.check(name, event_time, now, "the present")
        for rule in self.family.rules:
            rule(event)
        if event.event_id is None:
            event = with_event_id(event, extra, self.identity_key)
        return self.family.valid_event(message=message, event=event, extra=extra)
