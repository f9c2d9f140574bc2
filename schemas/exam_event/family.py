"""The registration of the exam events."""

from schemas.errors import ErrorKind
from schemas.exam_event import rules
from schemas.exam_event.event import EventType, ValidExamEvent
from schemas.family import EventFamily
from schemas.tables import EVENTS_FACT

FAMILY = EventFamily(
    name="exam_event",
    table=EVENTS_FACT,
    version="1.1",
    event_time="client_ts",
    clustering=("test_id", "session_id", "event_type"),
    rules=(
        rules.session_times_in_range,
        rules.expiry_after_start,
        rules.answers_name_their_question,
    ),
    person="student_id",
    route_by="test_id",
    dead_letter_types={EventType.STORE_ERROR: ErrorKind.STORE_ERROR},
    judged_types=frozenset(
        {
            EventType.ANSWER_SUBMIT,
            EventType.ANSWER_RESUBMIT,
            EventType.ANSWER,
            EventType.TEST_SUBMIT,
        }
    ),
    renamed={"is_late_submission": "client_is_late_submission"},
    conflicts_view="event_conflicts",
    needs=("dimension_change", "session_change"),
    written=ValidExamEvent,
)
