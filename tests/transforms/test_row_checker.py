import datetime as dt
import decimal

import pytest
from google.cloud.bigquery import SchemaField, Table, TimePartitioning
from hypothesis import given
from hypothesis import strategies as st

from transforms import row_checker
from transforms.row_checker import MAX_ROW_BYTES, RejectedRow, RowChecker
from transforms.table_column import MissingColumnError

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
EAST, WEST = (dt.timezone(dt.timedelta(hours=hours)) for hours in (14, -12))
FIELDS = {
    "text": SchemaField("text", "STRING", mode="REQUIRED", max_length=5),
    "raw": SchemaField("raw", "BYTES", max_length=3),
    "flag": SchemaField("flag", "BOOL"),
    "count": SchemaField("count", "INT64"),
    "share": SchemaField("share", "FLOAT64"),
    "day": SchemaField("day", "DATE"),
    "time": SchemaField("time", "TIMESTAMP"),
    "doc": SchemaField("doc", "JSON"),
    "large": SchemaField("large", "STRING"),
}
COLUMNS = tuple(FIELDS)
GOOD = {
    "text": "ab",
    "raw": b"\x00\xff",
    "flag": False,
    "count": -(2**63),
    "share": 0.1,
    "day": dt.date(2026, 3, 2),
    "time": NOW,
    "doc": '{"a": null}',
    "large": "",
}
BAD = [
    ("text", None, "is required"),
    ("text", "abcdef", "is longer than 5"),
    ("text", 1, "is not of type STRING"),
    ("text", "\ud800", "is not of type STRING"),
    ("raw", b"abcd", "is longer than 3"),
    ("raw", 1, "is not of type BYTES"),
    ("flag", 1, "is not of type BOOLEAN"),
    ("count", 2**63, "is not of type INTEGER"),
    ("count", True, "is not of type INTEGER"),
    ("count", "1", "is not of type INTEGER"),
    ("share", float("nan"), "is not a finite number"),
    ("share", float("-inf"), "is not a finite number"),
    ("share", "1", "is not of type FLOAT"),
    ("day", "2026-03-02", "is not of type DATE"),
    ("day", dt.date(2016, 3, 3), "lies more than 10 years back or 1 year ahead"),
    ("day", dt.date(2027, 3, 3), "lies more than 10 years back or 1 year ahead"),
    ("time", "2026-03-02", "is not of type TIMESTAMP"),
    ("time", dt.datetime(1, 1, 1, 13, tzinfo=EAST), "lies outside the years 1 to 9999"),
    ("time", dt.datetime(9999, 12, 31, 12, tzinfo=WEST), "lies outside the years 1 to 9999"),
    ("doc", {"a": 1}, "is not of type JSON"),
]


def table(*fields, partition="day"):
    made = Table("p.d.t", fields or list(FIELDS.values()))
    made.time_partitioning = TimePartitioning(field=partition)
    return made


def row(**values):
    return tuple((GOOD | values).values())


CHECKER = RowChecker(table(), COLUMNS)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {name: None for name in COLUMNS if name != "text"},
        {"text": "ä" * 5, "raw": b"abc", "count": 2**63 - 1, "flag": True},
        {"day": dt.date(2016, 3, 4)},
        {"day": dt.date(2027, 3, 2)},
        {"time": dt.datetime(1, 1, 1, tzinfo=dt.UTC)},
        {"time": dt.datetime.max.replace(tzinfo=dt.UTC)},
        {"time": dt.datetime(1, 1, 1, tzinfo=WEST)},
    ],
)
def test_a_row_that_fits_goes_through_unchanged(values):
    checked = CHECKER.check([row(**values)], NOW)
    assert checked.rejected == []
    assert checked.batch.to_pylist() == [GOOD | values]
    assert checked.batch.schema == CHECKER.schema


@pytest.mark.parametrize(("field", "value", "reason"), BAD)
def test_a_bad_row_is_told_by_its_column_and_fails_alone(field, value, reason):
    checked = CHECKER.check([row(), row(**{field: value}), row(count=7)], NOW)
    (bad,) = checked.rejected
    assert (bad.position, bad.rejection.field) == (1, field)
    assert bad.rejection.message.startswith(f"invalid: {field} {reason}")
    assert checked.indices == [0, 2]
    assert checked.batch.to_pylist() == [GOOD, GOOD | {"count": 7}]


def test_a_timestamp_column_can_be_the_partition():
    checker = RowChecker(table(partition="time"), COLUMNS)
    outside = [NOW - dt.timedelta(days=3651), NOW + dt.timedelta(days=366)]
    checked = checker.check([row(time=time) for time in (NOW, *outside)], NOW)
    assert [bad.position for bad in checked.rejected] == [1, 2]


def test_a_row_larger_than_a_request_is_refused_and_many_small_ones_are_not():
    half = "x" * (MAX_ROW_BYTES // 2)
    large = row(large=half, doc=half)
    checked = CHECKER.check([row(large=half)] * 4 + [large], NOW)
    assert checked.rejected == [
        RejectedRow.of(4, f"invalid: the row has more than {MAX_ROW_BYTES} bytes")
    ]
    assert checked.indices == [0, 1, 2, 3]


def test_no_rows_make_an_empty_batch():
    checked = CHECKER.check([], NOW)
    assert (len(checked.batch), checked.indices, checked.rejected) == (0, [], [])
    assert checked.batch.schema == CHECKER.schema


def test_only_required_columns_are_not_nullable():
    assert [field.name for field in CHECKER.schema if not field.nullable] == ["text"]


@pytest.mark.parametrize("raw", [b"abc", None])
def test_the_size_of_a_row_is_that_of_all_its_text_and_bytes(monkeypatch, raw):
    largest = row(text="abcde", raw=raw, doc="d" * 40, large="\xe4" * 30)
    size = 5 + len(raw or b"") + 40 + 60
    monkeypatch.setattr(row_checker, "MAX_ROW_BYTES", size)
    assert CHECKER.check([row(), largest], NOW).rejected == []
    monkeypatch.setattr(row_checker, "MAX_ROW_BYTES", size - 1)
    reason = f"invalid: the row has more than {size - 1} bytes"
    assert CHECKER.check([row(), largest], NOW).rejected == [RejectedRow.of(1, reason)]


@given(st.lists(st.none() | st.sampled_from(BAD), min_size=1, max_size=20))
def test_bad_rows_do_not_touch_good_ones(faults):
    rows = [
        row(count=n) if fault is None else row(**{"count": n, fault[0]: fault[1]})
        for n, fault in enumerate(faults)
    ]
    good = [n for n, fault in enumerate(faults) if fault is None]
    checked = CHECKER.check(rows, NOW)
    assert checked.indices == good
    assert checked.batch.column("count").to_pylist() == good
    assert [bad.position for bad in checked.rejected] == [
        n for n in range(len(rows)) if n not in good
    ]


def test_columns_that_the_table_does_not_have_may_only_be_null():
    checker = RowChecker(table(FIELDS["text"]), ("text", "later"))
    assert checker.check([("ab", None)], NOW).batch.to_pylist() == [{"text": "ab"}]
    with pytest.raises(MissingColumnError, match="later"):
        checker.check([("ab", None), ("ab", 1)], NOW)


def test_a_batch_follows_the_table():
    old = CHECKER.check([row(doc=None)], NOW).batch
    without = RowChecker(table(*(f for name, f in FIELDS.items() if name != "doc")), COLUMNS)
    narrow = without.fit(old)
    assert narrow.schema == without.schema
    assert CHECKER.fit(narrow).to_pylist() == [GOOD | {"doc": None}]
    with pytest.raises(MissingColumnError, match="doc"):
        without.fit(CHECKER.check([row()], NOW).batch)


def test_a_batch_follows_a_column_to_a_type_that_holds_its_values():
    def rows_of(kind):
        return RowChecker(table(SchemaField("a", kind), partition=None), ("a",))

    whole = rows_of("INT64").check([(7,), (None,)], NOW).batch
    assert rows_of("FLOAT64").fit(whole).to_pylist() == [{"a": 7.0}, {"a": None}]
    text = rows_of("STRING").check([("zanzibar",)], NOW).batch
    with pytest.raises(ValueError, match=r"column a has become int64, which string does not fit$"):
        rows_of("INT64").fit(text)


@pytest.mark.parametrize("field", [SchemaField("a", "RECORD"), SchemaField("a", "GEOGRAPHY")])
def test_a_type_that_we_do_not_write_is_no_surprise_later(field):
    with pytest.raises(ValueError, match="column a"):
        RowChecker(table(field, partition=None), ("a",))


NESTED = [
    SchemaField("tags", "STRING", "REPEATED"),
    SchemaField(
        "lines",
        "RECORD",
        "REPEATED",
        fields=[
            SchemaField("price", "NUMERIC"),
            SchemaField("at", "TIMESTAMP"),
            SchemaField("box", "RECORD", fields=[SchemaField("unit", "STRING", max_length=2)]),
        ],
    ),
]
FIRST_FIELD = SchemaField("lines", "RECORD", "REPEATED", fields=NESTED[1].fields[:1])
LINE = {"price": decimal.Decimal("1.1"), "at": NOW, "box": {"unit": "kg"}}


def nested(*fields):
    return RowChecker(table(*(fields or NESTED), partition=None), ("tags", "lines"))


def test_nested_rows_are_converted_whole():
    rows = [(["a"], [LINE, LINE | {"box": None}]), ((), ()), (None, [])]
    checked = nested().check(rows, NOW)
    assert checked.rejected == []
    assert checked.batch.to_pylist() == [
        {"tags": ["a"], "lines": [LINE, LINE | {"box": None}]},
        {"tags": [], "lines": []},
        {"tags": None, "lines": []},
    ]


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ({"price": decimal.Decimal("1e29")}, "lines", "lines is not of type RECORD"),
        ({"price": "x"}, "lines", "lines is not of type RECORD"),
        ({"box": {"unit": "kilogram"}}, "lines", "lines.box.unit is longer than 2"),
        ({"at": dt.datetime(1, 1, 1, tzinfo=EAST)}, "lines", "lines.at lies outside the years"),
    ],
)
def test_a_bad_nested_value_rejects_its_row_alone(line, field, reason):
    good = ((), [LINE])
    checked = nested().check([good, ((), [LINE, LINE | line]), good], NOW)
    (bad,) = checked.rejected
    assert (bad.position, bad.rejection.field) == (1, field)
    assert bad.rejection.message.startswith(f"invalid: {reason}")
    assert checked.indices == [0, 2]


def test_a_field_that_the_record_of_the_table_lacks_waits_for_it():
    narrow = nested(NESTED[0], FIRST_FIELD)
    assert narrow.check([((), [LINE | {"at": None, "box": None}])], NOW).rejected == []
    with pytest.raises(MissingColumnError, match=r"no column lines\.at"):
        narrow.check([((), [LINE | {"box": None}])], NOW)
    with pytest.raises(MissingColumnError, match=r"no column lines\.box"):
        narrow.check([((), []), ((), [LINE | {"at": None}])], NOW)


def test_checked_nested_rows_are_fitted_to_a_field_more_and_not_to_one_less():
    narrow = nested(NESTED[0], FIRST_FIELD)
    batch = narrow.check([((), [{"price": decimal.Decimal(1)}])], NOW).batch
    assert nested().fit(batch).to_pylist() == [
        {"tags": [], "lines": [{"price": decimal.Decimal(1), "at": None, "box": None}]}
    ]
    whole = nested().check([((), [LINE])], NOW).batch
    with pytest.raises(MissingColumnError, match=r"no column lines"):
        narrow.fit(whole)


def test_the_size_of_a_nested_row_counts(monkeypatch):
    monkeypatch.setattr(row_checker, "MAX_ROW_BYTES", 2_000)
    small, large = ((), [LINE]), (["x" * 3_000], [])
    checked = nested().check([small, large, small], NOW)
    assert [bad.position for bad in checked.rejected] == [1]
