"""Whether a submission came after its session had expired (DESIGN 5).

Judged from the payload alone: rules 2a, 2b and 3.
"""

import datetime as dt

from schemas.exam_event import ExamEvent
from schemas.lateness import DeadlineSource, Judgement, LateStatus

NOT_APPLICABLE = Judgement(late_status=LateStatus.NOT_APPLICABLE)
UNKNOWN = Judgement(late_status=LateStatus.UNKNOWN)


def judge(event: ExamEvent) -> Judgement:
    """The judgement of a submission, from what it carries itself.

    A deadline always decides. The app's own verdict stands in only where none can be built.
    """
    deadline = payload_deadline(event)
    if deadline is not None:
        late = event.client_ts > deadline
        return Judgement(
            late_status=LateStatus.LATE if late else LateStatus.ON_TIME,
            is_late_submission=late,
            late_by_seconds=(event.client_ts - deadline).total_seconds() if late else None,
            deadline_ts=deadline,
            deadline_source=DeadlineSource.PAYLOAD,
        )
    if event.is_late_submission is not None:
        return Judgement(
            late_status=LateStatus.LATE if event.is_late_submission else LateStatus.ON_TIME,
            is_late_submission=bool(event.is_late_submission),
            deadline_source=DeadlineSource.CLIENT,
        )
    return UNKNOWN


def payload_deadline(event: ExamEvent) -> dt.datetime | None:
    """The event's own expiry, else its own start plus its own duration, else None."""
    if event.session_expiry_ts is not None:
        return event.session_expiry_ts
    if event.session_start_ts is not None and event.session_duration_seconds is not None:
        return event.session_start_ts + dt.timedelta(seconds=event.session_duration_seconds)
    return None
