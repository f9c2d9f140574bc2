"""Types of lateness: the result for an event, a session's start record, and the settings.

The rule itself is in ``transforms/lateness/rule.py`` and, in SQL, in
``ddl/exam_event/views/events.sql``.
"""

import datetime as dt
import enum
from collections.abc import Mapping

import msgspec

MAX_DURATION_SECONDS = 604_800
"""A week: of a session's duration, and so of a grace period."""


class LateStatus(enum.StrEnum):
    """The column ``late_status``."""

    ON_TIME = "ON_TIME"
    LATE = "LATE"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class DeadlineSource(enum.StrEnum):
    """The column ``deadline_source``: where the deadline, or the verdict, came from."""

    PAYLOAD = "payload"
    SESSION = "session"
    TEST = "test"
    DEFAULT = "default"
    MIXED = "mixed"
    CLIENT = "client"


class LatenessResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The pipeline's answer for one event; the fields are the columns of the same names.

    Attributes:
        late_status: see LateStatus.
        is_late_submission: None for UNKNOWN and NOT_APPLICABLE.
        late_by_seconds: client_ts - deadline_ts where late, else None.
        deadline_ts: UTC, before the grace period; None if there is no deadline.
        deadline_source: None for UNKNOWN and NOT_APPLICABLE.
    """

    late_status: LateStatus
    is_late_submission: bool | None = None
    late_by_seconds: float | None = None
    deadline_ts: dt.datetime | None = None
    deadline_source: DeadlineSource | None = None


class StartRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a session_start says about its session; the earliest one counts (DESIGN 5.1).

    Attributes:
        client_ts, event_id: of the session_start; they order the starts of a session.
        start_ts: its session_start_ts, else its client_ts.
        duration_seconds, expiry_ts: as it carries them.
    """

    client_ts: dt.datetime
    event_id: str
    start_ts: dt.datetime
    duration_seconds: int | None = None
    expiry_ts: dt.datetime | None = None

    @property
    def order(self) -> tuple[dt.datetime, str]:
        """The sort key of a session's starts; the smallest one counts."""
        return self.client_ts, self.event_id


class SettingsRow(msgspec.Struct, frozen=True):
    """One row of the table ``lateness_settings``.

    Attributes:
        duration_seconds: how long a session may last; None leaves it to the row for every test.
        grace_seconds: how long after the deadline a submission is on time; None likewise.
        test_id: None for every test.
    """

    duration_seconds: int | None = None
    grace_seconds: int | None = None
    test_id: str | None = None


class LatenessSettings(msgspec.Struct, frozen=True):
    """The constants of the rule: the table ``lateness_settings`` (DESIGN 5.4).

    Attributes:
        default: the row for every test, whose test_id is null.
        tests: test_id to its own row.
    """

    default: SettingsRow = SettingsRow()
    tests: Mapping[str, SettingsRow] = {}

    def test_duration(self, test_id: str) -> int | None:
        """The test's own duration, in seconds."""
        own = self.tests.get(test_id)
        return None if own is None else own.duration_seconds

    def grace(self, test_id: str) -> dt.timedelta:
        """The test's grace period, else that of the default row, else zero."""
        own = self.tests.get(test_id)
        seconds = None if own is None else own.grace_seconds
        if seconds is None:
            seconds = self.default.grace_seconds
        return dt.timedelta(seconds=seconds or 0)
