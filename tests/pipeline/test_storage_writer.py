"""The Storage Write API, misbehaving. BigQuery does so on no request and its emulator never, so
the server is a fake (fake_storage.py); test_storage_emulator.py writes to the emulator.
"""

import collections

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipeline.fake_storage import Fault, numbers, rows
from transforms.row_checker import RejectedRow

OUTAGES = [fault for fault in Fault if fault not in (Fault.NONE, Fault.UPDATED_SCHEMA)]


@pytest.mark.parametrize("fault", OUTAGES)
def test_whatever_goes_wrong_every_row_is_written(storage_table, impatient, fault):
    table, writer = storage_table()
    table.faults += [Fault.NONE, fault]
    for first in range(3):
        writer.append(rows(None, first=first))
    assert writer.flush() == []
    assert set(numbers(table)) == {0, 1, 2}


def test_appends_under_way_when_a_call_breaks_are_sent_again(storage_table):
    table, writer = storage_table()
    table.faults += [Fault.NONE, Fault.BROKEN_AFTER_WRITE]
    for first in range(10):
        writer.append(rows(None, first=first))
    assert writer.flush() == []
    assert collections.Counter(numbers(table)) == {n: 1 + (n == 1) for n in range(10)}
    assert table.calls == 2


def test_the_rows_that_bigquery_names_are_refused_and_the_others_written(storage_table, no_wait):
    table, writer = storage_table()
    writer.append(rows(None, "bad", None, "bad"))
    writer.append(rows("bad", None, first=4))
    assert writer.flush() == [RejectedRow.of(n, "invalid: bad kind") for n in (1, 3, 4)]
    assert numbers(table) == [0, 2, 5]


@pytest.mark.parametrize("kind", ["poison", "deadly"])
def test_a_request_refused_as_a_whole_costs_only_the_row_at_fault(storage_table, no_wait, kind):
    table, writer = storage_table()
    writer.append(rows(*[None] * 5, kind, *[None] * 5))
    writer.append(rows(None, None, first=11))
    (refused,) = writer.flush()
    assert refused.position == 5
    assert refused.rejection.message.startswith("invalid: a row is ")
    assert set(numbers(table)) == set(range(13)) - {5}


def test_positions_are_counted_from_the_last_flush(storage_table):
    _, writer = storage_table()
    writer.append(rows(None, None))
    assert writer.flush() == []
    writer.append(rows(None))
    writer.append(rows("bad"))
    assert [row.position for row in writer.flush()] == [1]
    assert writer.flush() == []


kinds = st.lists(
    st.sampled_from([None, None, None, "bad", "poison", "deadly"]), min_size=1, max_size=8
)


@given(
    appends=st.lists(st.lists(kinds, max_size=6), min_size=1, max_size=3),
    faults=st.lists(st.sampled_from(list(Fault)), max_size=8),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_written_or_refused_and_none_is_both(
    storage_table, impatient, appends, faults
):
    table, writer = storage_table()
    table.faults += faults
    number, written, refused = 0, set(), set()
    for bundle in appends:
        first = number
        for kinds_of_append in bundle:
            writer.append(rows(*kinds_of_append, first=number))
            for kind in kinds_of_append:
                (written if kind is None else refused).add(number)
                number += 1
        refusals = writer.flush()
        assert [row.position + first for row in refusals] == sorted(
            n for n in refused if n >= first
        )
    assert set(numbers(table)) == written
