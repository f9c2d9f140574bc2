"""The list of step names that lies beside a template."""

from pathlib import Path

from pipeline.step_names import step_names
from schemas.families import DEFAULT_FAMILY
from tests.support.families import ID, TIMESTAMP, enum, field, record, registered

EXAM = (Path(__file__).parents[2] / "deploy" / "step_names.txt").read_text().splitlines()
CONTRACT = record(
    "Parcel",
    field("event_id", ID),
    field("event_type", enum("parcel")),
    field("placed_at", TIMESTAMP),
)
# The steps that messages of all families share.
SHARED = ("ReadMessages", "DeadLetters", "WriteDeadLetters", "CountRefused", "PublishDeadLetters")


def test_they_are_those_of_the_job_that_dataflow_gets():
    """``tests/deploy/test_template.py`` compares the same file with the built job."""
    assert step_names([DEFAULT_FAMILY]) == EXAM


def test_the_steps_of_each_of_several_families_begin_with_its_name():
    with registered(
        CONTRACT, name="parcels", table="parcels_fact", event_time="placed_at"
    ) as parcels:
        alone, both = step_names([parcels]), step_names([DEFAULT_FAMILY, parcels])
    routing = [step for step in both if step.startswith("RouteEvents/")]
    assert routing
    assert set(both) == {
        *routing,
        *(step for step in EXAM if step.startswith(SHARED)),
        *(f"exam_event/{step}" for step in EXAM if not step.startswith(SHARED)),
        *(f"parcels/{step}" for step in alone if not step.startswith(SHARED)),
    }
