"""The registration of the exam events."""

from schemas.errors import ErrorKind
from schemas.exam_event import rules
from schemas.exam_event.event import EventType, ExamEvent, ValidExamEvent
from schemas.family import EventFamily
from schemas.tables import EVENTS_FACT

EXAM_EVENT = EventFamily(
    name="exam_event",
    event=ExamEvent,
    valid_event=ValidExamEvent,
    table=EVENTS_FACT,
    rules=(
        rules.session_times_in_range,
        rules.expiry_after_start,
        rules.answers_name_their_question,
    ),
    dead_letter_types={EventType.STORE_ERROR: ErrorKind.STORE_ERROR},
    judged_types=frozenset(
        {EventType.ANSWER_SUBMIT, EventType.ANSWER_RESUBMIT, EventType.TEST_SUBMIT}
    ),
    renamed={"is_late_submission": "client_is_late_submission"},
)
