"""Rules of learner events beyond types: each raises ContractError if it is broken."""

from typing import Any

from schemas.contract import MAX_ID_LENGTH
from schemas.errors import ContractError, ErrorKind

MAX_SCORE = 100
MAX_SKILLS = 100

_CONTENT = {
    "lesson_start": "lesson_id",
    "lesson_complete": "lesson_id",
    "assessment_start": "assessment_id",
    "assessment_complete": "assessment_id",
}
_IDS = ("lesson_id", "assessment_id", "page_id")


def data_names_its_content(event: Any) -> None:
    """The start and the end of a lesson or an assessment name it."""
    key = _CONTENT.get(event.event_type)
    if key is not None and (event.data or {}).get(key) is None:
        raise _broken(key, f"is required for {event.event_type}")


def score_in_range(event: Any) -> None:
    """A score lies within 0 to 100."""
    score = (event.data or {}).get("score")
    if score is None:
        return
    if type(score) not in (int, float) or not 0 <= score <= MAX_SCORE:
        raise _broken("score", f"must be a number from 0 to {MAX_SCORE} or null")


def skills_and_pages_are_ids(event: Any) -> None:
    """Data names lessons, assessments, pages and skills by ids."""
    data = event.data or {}
    for key in _IDS:
        if data.get(key) is not None and not _is_id(data[key]):
            raise _broken(key, f"must be a string of 1 to {MAX_ID_LENGTH} characters or null")
    skills = data.get("skill_ids")
    if skills is None:
        return
    if not isinstance(skills, list) or len(skills) > MAX_SKILLS or not all(map(_is_id, skills)):
        raise _broken(
            "skill_ids",
            f"must be an array of at most {MAX_SKILLS} strings of 1 to {MAX_ID_LENGTH} characters",
        )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_ID_LENGTH


def _broken(key: str, text: str) -> ContractError:
    return ContractError(ErrorKind.RULE_VIOLATION, f"data.{key} {text}", f"data.{key}")
