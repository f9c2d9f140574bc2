"""What hypothesis may draw: events, JSON as text, ways to spoil an event, attributes."""

import datetime as dt
import json
from typing import Any

from hypothesis import strategies as st

from schemas.exam_event.event import EventType, ExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from transforms.dead_letters import OWN_ATTRIBUTES

INT64 = st.integers(-(2**63), 2**63 - 1)
FIELDS = ExamEvent.__struct_fields__


def documents(numbers: Any) -> Any:
    """JSON values whose numbers are drawn from ``numbers``."""
    leaves = st.none() | st.booleans() | numbers | st.text(max_size=8)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
        ),
        max_leaves=12,
    )


json_values = documents(INT64 | st.floats(allow_nan=False, allow_infinity=False))
json_objects = st.dictionaries(st.text(max_size=6), json_values, max_size=4)

# Numbers as they may stand in a message: long, tiny, huge, exact and inexact.
number_texts = (
    st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
    | st.integers(-(2**70), 2**70).map(str)
    | st.integers(60, 130).map(lambda bits: str(2**bits))
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
)


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in members) + "}"


# As text, so that keys may stand twice and numbers are written every way.
json_texts = st.recursive(
    number_texts | st.sampled_from(["null", "true", "false"]) | st.text(max_size=8).map(json.dumps),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda parts: "[" + ",".join(parts) + "]")
        | st.lists(st.tuples(st.text(max_size=3), inner), max_size=4).map(_object)
    ),
    max_leaves=12,
)

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)
timestamps = st.datetimes(
    dt.datetime(1970, 1, 2), dt.datetime(2100, 12, 30), timezones=offsets | st.just(dt.UTC)
)
identifiers = st.text(min_size=1, max_size=128)
flags = st.none() | st.booleans() | st.sampled_from([0, 1])

# Valid by type; the rules of DESIGN 2 beyond types are not looked at.
events = st.builds(
    ExamEvent,
    event_id=identifiers,
    event_type=st.sampled_from(EventType),
    test_id=identifiers,
    student_id=identifiers,
    session_id=identifiers,
    client_ts=timestamps,
    question_id=st.none() | identifiers,
    answer=st.none() | st.text(max_size=40),
    is_correct_answer=flags,
    attempt_no=st.none() | st.integers(1, 2**31 - 1),
    session_start_ts=st.none() | timestamps,
    session_expiry_ts=st.none() | timestamps,
    session_duration_seconds=st.none() | st.integers(1, 604_800),
    is_late_submission=flags,
    error_payload=st.none() | json_objects,
    completion_status=st.sampled_from((None, "completed", "incomplete")),
)

unknown_names = st.text(max_size=20).filter(lambda name: name not in FIELDS)

_ANY_FIELD = [{}, [], 1.5, -1, 2**40, 10**30]
_BAD = {
    "event_type": ["", "page_views", "PAGE_VIEW", True, None],
    "timestamp": ["", "yesterday", "2026-03-02T10:00:00", "2026-02-30T10:00:00Z", True, 0],
    "identifier": ["", "x" * 129, "😀" * 129, True, 0],
    "answer": ["x" * 8_193, "😀" * 8_193, False, 1],
    "flag": ["true", "1", "", 2],
    "attempt_no": ["1", 0, 2**31, True, False],
    "session_duration_seconds": ["60", 0, 604_801, True],
}
_KIND = {
    "client_ts": "timestamp",
    "session_start_ts": "timestamp",
    "session_expiry_ts": "timestamp",
    "is_correct_answer": "flag",
    "is_late_submission": "flag",
}


def bad_values(field: str) -> list[Any]:
    """JSON values that the field does not take."""
    if field == "error_payload":
        return [[], "", "{}", 0, 1.5, True]
    kind = _KIND.get(field, field)
    values = [*_BAD.get(kind, _BAD["identifier"]), *_ANY_FIELD]
    optional = (
        field in FIELDS[len(ExamEvent.__struct_fields__) - len(ExamEvent.__struct_defaults__) :]
    )
    return values if optional else [*values, None]


# (field, a value that it does not take)
spoilings = st.sampled_from(
    [(field, value) for field in EXAM_EVENT.event.__struct_fields__ for value in bad_values(field)]
)

# Names of arguments in Python clients of Pub/Sub.
KEYWORDS = ("data", "topic", "timeout", "retry", "self", "ordering_key")

_attribute_keys = st.one_of(
    st.text(max_size=12),
    st.text(max_size=8).map("goog".__add__),
    st.sampled_from(sorted(OWN_ATTRIBUTES)),
    st.sampled_from(sorted(OWN_ATTRIBUTES)).map("sender_".__add__),
    st.sampled_from(KEYWORDS),
    st.sampled_from(["k" * 256, "k" * 257, "é" * 128, "é" * 129]),
)
attribute_values = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["v" * 1024, "v" * 1025, "é" * 512, "v" + "é" * 512, "\N{HONEYBEE}" * 300]),
)


def attributes(max_size: int) -> Any:
    """Attributes of a message, such as Pub/Sub refuses among them."""
    return st.dictionaries(_attribute_keys, attribute_values, max_size=max_size)
