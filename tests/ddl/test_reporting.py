"""What the commands print, without any server."""

import datetime as dt

from ddl import reporting


def test_rows_stand_in_columns_and_no_value_leaves_its_line() -> None:
    moment = dt.datetime(2026, 3, 2, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    rows = [
        ("finding", "event_id", "client_ts"),
        ("set", "a\nb\x1b[31m", moment),
        ("ahead", None, None),
    ]
    assert reporting.rows_behind(rows, "SELECT 1;", 2) == [
        "",
        "SELECT 1;",
        "",
        "finding  event_id      client_ts",
        "set      a\\nb\\x1b[31m  2026-03-02T10:00:00Z",
        "ahead    -             -",
        "",
    ]


def test_the_last_lines() -> None:
    assert reporting.changes([], dry_run=False) == "nothing to change"
    assert reporting.outcome(["ok", "fail", "ok"]) == "done: 2 ok, 0 warn, 1 fail"
