"""The lateness rule: whether a submission came after its session expired (DESIGN 5).

The stream and the bounded path share these functions; the same rule in SQL is
``ddl/exam_event/views/events.sql``, and a test compares the two.
"""

import datetime as dt

from schemas.exam_event.event import EventType, ExamEvent
from schemas.lateness import (
    DeadlineSource,
    LatenessResult,
    LatenessSettings,
    LateStatus,
    StartRecord,
)

NOT_APPLICABLE = LatenessResult(late_status=LateStatus.NOT_APPLICABLE)
UNKNOWN = LatenessResult(late_status=LateStatus.UNKNOWN)
NO_SETTINGS = LatenessSettings()


def judge(
    event: ExamEvent, start: StartRecord | None = None, settings: LatenessSettings = NO_SETTINGS
) -> LatenessResult:
    """The lateness of a submission.

    Args:
        event: an event of a judged type.
        start: its session's start record, if known.
        settings: the constants of the rule.

    A deadline always decides. The app's own verdict counts only if there is no deadline.
    """
    found = find_deadline(event, start, settings)
    if found is not None:
        deadline, source = found
        late = event.client_ts > deadline + settings.grace(event.test_id)
        return LatenessResult(
            late_status=LateStatus.LATE if late else LateStatus.ON_TIME,
            is_late_submission=late,
            late_by_seconds=(event.client_ts - deadline).total_seconds() if late else None,
            deadline_ts=deadline,
            deadline_source=source,
        )
    if event.is_late_submission is not None:
        return LatenessResult(
            late_status=LateStatus.LATE if event.is_late_submission else LateStatus.ON_TIME,
            is_late_submission=bool(event.is_late_submission),
            deadline_source=DeadlineSource.CLIENT,
        )
    return UNKNOWN


def find_deadline(
    event: ExamEvent, start: StartRecord | None, settings: LatenessSettings
) -> tuple[dt.datetime, DeadlineSource] | None:
    """The first deadline that can be computed, before the grace period, and its source."""
    settled = payload_deadline(event)
    if settled is not None:
        return settled, DeadlineSource.PAYLOAD
    if start is not None and start.expiry_ts is not None:
        return start.expiry_ts, DeadlineSource.SESSION
    if event.session_start_ts is not None:
        began = event.session_start_ts
    elif start is not None:
        began = start.start_ts
    else:
        return None
    lasts = _duration(event, start, settings)
    if lasts is None:
        return None
    seconds, source = lasts
    return began + dt.timedelta(seconds=seconds), source


def _duration(
    event: ExamEvent, start: StartRecord | None, settings: LatenessSettings
) -> tuple[int, DeadlineSource] | None:
    """How long the session may last if the payload has no deadline, and the source of that."""
    if event.session_duration_seconds is not None:
        return event.session_duration_seconds, DeadlineSource.MIXED
    if start is not None and start.duration_seconds is not None:
        both = event.session_start_ts is None
        return start.duration_seconds, DeadlineSource.SESSION if both else DeadlineSource.MIXED
    test = settings.test_duration(event.test_id)
    if test is not None:
        return test, DeadlineSource.TEST
    if settings.default.duration_seconds is not None:
        return settings.default.duration_seconds, DeadlineSource.DEFAULT
    return None


def payload_deadline(event: ExamEvent) -> dt.datetime | None:
    """The event's own expiry, else its own start plus its own duration, else None.

    Only these need nothing from the session (rules 2a and 2b).
    """
    if event.session_expiry_ts is not None:
        return event.session_expiry_ts
    if event.session_start_ts is not None and event.session_duration_seconds is not None:
        return event.session_start_ts + dt.timedelta(seconds=event.session_duration_seconds)
    return None


def start_record(event: ExamEvent) -> StartRecord | None:
    """The start record of a session_start; None for any other event."""
    if event.event_type is not EventType.SESSION_START:
        return None
    return StartRecord(
        client_ts=event.client_ts,
        event_id=event.event_id,
        start_ts=event.session_start_ts or event.client_ts,
        duration_seconds=event.session_duration_seconds,
        expiry_ts=event.session_expiry_ts,
    )


def earlier(one: StartRecord | None, other: StartRecord | None) -> StartRecord | None:
    """The start record that counts, of two of the same session (rule 1)."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda start: start.order)
