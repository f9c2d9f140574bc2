"""How far event time may be from the present (DESIGN 2)."""

import dataclasses
import datetime as dt

from schemas.errors import ContractError, ErrorKind


@dataclasses.dataclass(frozen=True)
class EventTimeBounds:
    """How far event time may be before and after a reference time."""

    max_age: dt.timedelta
    max_ahead: dt.timedelta

    def check(self, client_ts: dt.datetime, reference: dt.datetime, reference_name: str) -> None:
        """Raises ContractError (rule_violation) if client_ts is out of bounds.

        BigQuery accepts streamed rows of a partitioned table only for dates near today's.
        """
        # Compared as a difference: a clock in year 1 cannot be shifted, only measured.
        lag = reference - client_ts
        if lag > self.max_age:
            raise ContractError(
                ErrorKind.RULE_VIOLATION,
                f"client_ts lies more than {self.max_age.days} days before {reference_name}: "
                "check the clock of the device",
                "client_ts",
            )
        if -lag > self.max_ahead:
            raise ContractError(
                ErrorKind.RULE_VIOLATION,
                f"client_ts lies more than {self.max_ahead.days} days after {reference_name}: "
                "check the clock of the device",
                "client_ts",
            )
