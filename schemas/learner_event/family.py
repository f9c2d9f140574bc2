"""The registration of the learner events."""

from schemas.family import EventFamily, KeptKeys
from schemas.learner_event import rules

_LESSON = frozenset({"lesson_id", "page_id", "skill_ids"})
_ASSESSMENT = frozenset({"assessment_id", "attempt_no", "page_id", "skill_ids"})
_PLACE = _LESSON | {"assessment_id"}
_DATA = {
    "session_start": frozenset({"page_id"}),
    "session_end": frozenset({"page_id", "reason"}),
    "page_view": _PLACE,
    "interaction": _PLACE | {"action", "element_id"},
    "lesson_start": _LESSON,
    "lesson_complete": _LESSON | {"score"},
    "assessment_start": _ASSESSMENT,
    "assessment_complete": _ASSESSMENT | {"score"},
    "error": _PLACE | {"code", "message"},
}
_METADATA = frozenset({"app_version", "locale", "platform"})

FAMILY = EventFamily(
    name="learner_event",
    table="learner_events_fact",
    event_time="timestamp",
    clustering=("learner_id", "event_type"),
    rules=(
        rules.data_names_its_content,
        rules.score_in_range,
        rules.skills_and_pages_are_ids,
    ),
    person="learner_id",
    # A field that nobody knows may hold anything about a learner.
    unknown="drop",
    kept_keys={
        "data": KeptKeys(
            _DATA,
            names=_PLACE | {"action", "code", "element_id", "reason"},
        ),
        "metadata": KeptKeys(dict.fromkeys(_DATA, _METADATA), names=_METADATA),
    },
    needs_pseudonyms=True,
    # Exam answers are evidence of mastery.
    needs=("exam_event",),
    route_by="learner_id",
    retention_days=548,
    renamed={"ingest_ts": "processed_at"},
)
