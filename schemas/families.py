"""The event families the pipeline can run. A new one is a struct, a table and an entry here."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from schemas import rules
from schemas.errors import ErrorKind
from schemas.exam_event import AcceptedExamEvent, EventType, ExamEvent
from schemas.message import Accepted


@dataclasses.dataclass(frozen=True)
class EventFamily:
    """What the generic transforms need to know of one kind of event.

    Attributes:
        name: as in the column ``event_family`` and the option ``--event_family``.
        event: the struct; it has at least event_id, event_type and client_ts (event time), forbids
            unknown fields, and takes its fields by position, as the decoder makes it.
        accepted: Accepted with ``event`` narrowed to the struct, for its coder.
        table: the fact table.
        rules: rules beyond types; each raises ContractError.
        dead_letter_types: event types that are valid and yet no facts, and their error kind.
        judged_types: event types whose lateness is judged; empty switches lateness off.
        renamed: contract fields whose column has another name.
    """

    name: str
    event: type[msgspec.Struct]
    accepted: type[Accepted]
    table: str
    rules: tuple[Callable[[Any], None], ...] = ()
    dead_letter_types: Mapping[str, ErrorKind] = dataclasses.field(default_factory=dict)
    judged_types: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)


EXAM_EVENT = EventFamily(
    name="exam_event",
    event=ExamEvent,
    accepted=AcceptedExamEvent,
    table="events_fact",
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

FAMILIES: Mapping[str, EventFamily] = {family.name: family for family in (EXAM_EVENT,)}
