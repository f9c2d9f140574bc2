"""What a run checks of its tables: their columns, and how old an event they accept."""

import datetime as dt

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from pipeline.options import parse
from pipeline.preflight import OUTAGE_MARGIN, StartupError, _bounded_by_expiration, check_table
from tests.support import parcels
from transforms.rows import filled

DAY = dt.timedelta(days=1)


def table(days=None):
    made = bigquery.Table("local-exams.exams.t")
    milliseconds = None if days is None else days * 86_400_000
    made.time_partitioning = bigquery.TimePartitioning(expiration_ms=milliseconds)
    return made


def max_age(*tables, own=1800):
    arguments = ["--dataset=local-exams.exams", "--input=a.jsonl", f"--max_event_age_days={own}"]
    config, _ = parse(arguments)
    return _bounded_by_expiration(config.bounds, tables).max_age


@pytest.mark.parametrize("days", [3, 4, 30, 400])
@pytest.mark.parametrize("time_of_day", [dt.timedelta(), dt.timedelta(hours=12), DAY - DAY / 1e6])
def test_the_oldest_event_that_is_taken_has_a_partition_after_an_outage(days, time_of_day):
    now = dt.datetime(2026, 3, 31, tzinfo=dt.UTC) + time_of_day
    oldest = now - max_age(table(days))
    expires = dt.datetime.combine(oldest.date(), dt.time(), dt.UTC) + days * DAY
    assert expires >= now + OUTAGE_MARGIN


@pytest.mark.parametrize(
    ("days", "bound"), [(None, 1800), (5000, 1800), (400, 398), (3, 1), (2, 1), (1, 1)]
)
def test_the_bound_is_two_days_less_than_the_expiration_and_at_least_one(days, bound):
    assert max_age(table(days)) == bound * DAY


def test_the_smallest_bound_counts():
    assert max_age(table(30), table(), table(20)) == 18 * DAY
    assert max_age(table(30), own=7) == 7 * DAY
    assert max_age(bigquery.Table("local-exams.exams.t")) == 1800 * DAY


def test_a_record_that_lacks_a_field_of_the_contract_is_one_line(warehouse):
    warehouse.client.create_dataset(str(warehouse.dataset))
    with parcels.families() as (family, _):
        parcels.create(warehouse.client, warehouse.dataset, family)
        check_table(warehouse.dataset, family.table, filled(family))
        changed = warehouse.client.get_table(warehouse.dataset.table(family.table))
        line = SchemaField("lines", "RECORD", "REPEATED", fields=[SchemaField("price", "NUMERIC")])
        changed.schema = [line if each.name == "lines" else each for each in changed.schema]
        warehouse.client.delete_table(changed)
        warehouse.client.create_table(bigquery.Table(changed.reference, changed.schema))
        lacks = r"lacks lines\.size, lines\.size\.count, lines\.size\.unit: "
        with pytest.raises(StartupError, match=lacks):
            check_table(warehouse.dataset, family.table, filled(family))
