"""The words in which lateness is told, and what a session's start record holds (DESIGN 5)."""

import datetime as dt
import enum

import msgspec


class LateStatus(enum.StrEnum):
    """The column ``late_status``."""

    ON_TIME = "ON_TIME"
    LATE = "LATE"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class DeadlineSource(enum.StrEnum):
    """The column ``deadline_source``: where the deadline, or the verdict, came from."""

    PAYLOAD = "payload"
    CLIENT = "client"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The pipeline's answer for one event; the fields are the columns of the same names.

    Attributes:
        late_status: see LateStatus.
        is_late_submission: None for UNKNOWN and NOT_APPLICABLE.
        late_by_seconds: client_ts - deadline_ts where late, else None.
        deadline_ts: UTC; None where no deadline can be built.
        deadline_source: None for UNKNOWN and NOT_APPLICABLE.
    """

    late_status: LateStatus
    is_late_submission: bool | None = None
    late_by_seconds: float | None = None
    deadline_ts: dt.datetime | None = None
    deadline_source: DeadlineSource | None = None
