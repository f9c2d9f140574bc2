"""How far event time may be from the present (DESIGN 2)."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import TypeAlias

from schemas.errors import ContractError, ErrorKind


@dataclasses.dataclass(frozen=True)
class EventTimeBounds:
    """How far event time may be before and after a reference time."""

    max_age: dt.timedelta
    max_ahead: dt.timedelta

    def check(
        self, name: str, event_time: dt.datetime, reference: dt.datetime, reference_name: str
    ) -> None:
        """Raises ContractError (rule_violation) if the field ``name`` is out of bounds.

        BigQuery accepts streamed rows of a partitioned table only for dates near today's.
        """
        # Compared as a difference: a clock in year 1 cannot be shifted, only measured.
        lag = reference - event_time
        if lag > self.max_age:
            raise ContractError(
                ErrorKind.RULE_VIOLATION,
                f"{name} lies more than {self.max_age.days} days before {reference_name}: "
                "check the clock of the device",
                name,
            )
        if -lag > self.max_ahead:
            raise ContractError(
                ErrorKind.RULE_VIOLATION,
                f"{name} lies more than {self.max_ahead.days} days after {reference_name}: "
                "check the clock of the device",
                name,
            )


# By the name of the event family: its table may keep its rows for less time than others.
Bounds: TypeAlias = Mapping[str, EventTimeBounds]
