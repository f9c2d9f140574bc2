"""The registration of the dimension changes."""

from schemas.dimension_change import rules
from schemas.family import EventFamily

FAMILY = EventFamily(
    name="dimension_change",
    table="dimension_changes_fact",
    event_time=None,
    clustering=("dimension", "key"),
    rules=(rules.upserts_have_a_row,),
    person="key",
    person_where={"dimension": "student"},
    # A name in an unknown field would be stored where views show it.
    unknown="refuse",
    not_in_views=frozenset({"private_row"}),
)
