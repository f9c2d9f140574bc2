"""What monitoring reads."""

import re

import pytest
from prometheus_client import generate_latest

from pipeline.micro_batch.batches import Counts
from pipeline.micro_batch.health import Health
from schemas.families import DEFAULT_FAMILY
from tests.support.families import ID, TIMESTAMP, enum, field, record, registered

COUNTS = Counts(
    received=6,
    written=3,
    dead_letter_not_json=1,
    dead_letter_too_large=2,
    routed_exam_event=4,
    routed_parcels=1,
    routed_no_family=1,
    written_exam_event=3,
    dead_letters_exam_event=1,
    dead_letters_parcels=1,
    dead_letters_no_family=1,
)


@pytest.fixture
def parcels():
    contract = record(
        "Parcel",
        field("event_id", ID),
        field("event_type", enum("parcel")),
        field("placed_at", TIMESTAMP),
    )
    with registered(
        contract, name="parcels", table="parcels_fact", event_time="placed_at"
    ) as family:
        yield family


def shown(*families):
    health = Health(families, lambda: None, lambda: None)
    health.count(COUNTS)
    health.count(COUNTS)
    lines = generate_latest(health.registry).decode().splitlines()
    return {line for line in lines if re.match(r"\w+_total\S* [^0]", line)}


ALL = {
    "exam_events_received_total 12.0",
    "exam_events_written_total 6.0",
    'exam_events_dead_letters_total{kind="not_json"} 2.0',
    'exam_events_dead_letters_total{kind="too_large"} 4.0',
}


def test_outcomes_are_counted():
    assert shown(DEFAULT_FAMILY) == ALL


def test_several_families_are_counted_one_by_one_too(parcels):
    assert shown(DEFAULT_FAMILY, parcels) == ALL | {
        'exam_events_routed_by_family_total{family="exam_event"} 8.0',
        'exam_events_routed_by_family_total{family="parcels"} 2.0',
        'exam_events_routed_by_family_total{family="no_family"} 2.0',
        'exam_events_written_by_family_total{family="exam_event"} 6.0',
        'exam_events_dead_letters_by_family_total{family="exam_event"} 2.0',
        'exam_events_dead_letters_by_family_total{family="parcels"} 2.0',
        'exam_events_dead_letters_by_family_total{family="no_family"} 2.0',
    }
