"""Validates a message: a valid event, or the error."""

import dataclasses
import datetime as dt

from schemas.errors import ContractError, ErrorKind
from schemas.event_time import EventTimeBounds
from schemas.family import EventFamily
from schemas.message import Message, ValidEvent
from transforms.decode import MAX_PAYLOAD_BYTES, Decoder


@dataclasses.dataclass(frozen=True)
class Validator:
    """The contract of one family, types and rules. Create it once per worker."""

    family: EventFamily
    bounds: EventTimeBounds
    decoder: Decoder

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
            raise ContractError(
                ErrorKind.TOO_LARGE, f"the message is larger than {MAX_PAYLOAD_BYTES:,} bytes"
            )
        event, extra = self.decoder.decode(message.payload)
        self.bounds.check(event.client_ts, message.publish_time, "publish time")
        self.bounds.check(event.client_ts, now, "the present")
        for rule in self.family.rules:
            rule(event)
        return self.family.valid_event(message=message, event=event, extra=extra)
