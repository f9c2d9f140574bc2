"""The command against bqemulator. Which messages it counts: tests/ddl/test_reconcile_query.py."""

import datetime as dt

import pytest

from pipeline.counts import Window
from pipeline.reconcile import main
from tests.ddl import golden

FACT = {"event_id": "e1", "event_type": "page_view", "client_ts": "2026-03-02T10:00:00Z"}
ZEROES = (
    "rejected_by_warehouse",
    "schema_violation",
    "rule_violation",
    "internal_error",
    "too_large",
)


@pytest.fixture
def counted(applied, capsys):
    """Runs the command over two facts, a copy and two dead letters; gives code, table, error."""
    rows = {
        "events_fact": [golden.fact(FACT | {"event_id": e}, n) for n, e in enumerate("aab")],
        "dead_letters": [
            golden.letter({"error_kind": kind, "failed_at": "2026-03-02T10:00:00Z"}, place)
            for place, kind in enumerate(("not_json", "store_error"))
        ],
    }
    for name, lines in rows.items():
        assert not applied.client.insert_rows_json(applied.dataset.table(name), lines)

    def run(*options):
        code = main([f"--dataset={applied.dataset}", *options])
        out, error = capsys.readouterr()
        first, _, rest = out.partition("\n\n")
        assert max(map(len, first.splitlines())) <= 80
        reading, table = " ".join(first.splitlines()), rest.splitlines()
        run.lines = table
        assert reading.startswith(f"Reading events_fact and dead_letters of {applied.dataset}, ")
        return code, {line[:28].strip(): line[28:].strip() for line in table}, reading + error

    return run


def test_what_was_published_is_accounted_for(counted):
    code, table, said = counted("--expected=5")
    assert code == 0
    assert table == {
        "published": "5",
        "facts": "2",
        "duplicates": "1",
        "dead letters": "2",
        "not_json": "1",
        "store_error": "1",
        **dict.fromkeys(ZEROES, "0"),
        "unaccounted": "0",
        "conflicts (among the above)": "0",
    }
    assert said.endswith("all partitions: bytes not known")  # the emulator does not estimate


def test_a_missing_message_is_a_failure(counted):
    code, table, said = counted("--expected=1200")
    assert (code, table["unaccounted"]) == (1, "1,195")
    assert said.endswith("error: 1,195 of 1,200 messages are neither fact nor dead letter\n")


def test_events_that_a_window_does_not_read_may_be_missing(counted):
    code, _, said = counted("--end=2026-03-03T00:00:00Z", "--expected=6")
    assert code == 1
    assert said.endswith(
        "error: 1 of 6 messages are neither fact nor dead letter; is the client_ts of an event "
        "outside the partitions read? then leave out --start and --end\n"
    )


def test_letters_of_a_backlog_are_found(applied, counted):
    late = {"error_kind": "not_json", "failed_at": "2026-04-02T10:00:00Z"}
    row = golden.letter(late | {"publish_time": "2026-03-02T10:00:00Z", "message_id": "late"}, 9)
    assert not applied.client.insert_rows_json(applied.dataset.table("dead_letters"), [row])
    window = ("--start=2026-03-02T00:00:00Z", "--end=2026-03-03T00:00:00Z")
    code, table, _ = counted(*window, "--expected=6")
    assert (code, table["dead letters"]) == (0, "3")


def test_messages_that_share_an_id_are_named(applied, counted):
    rows = [golden.fact(FACT | {"event_id": e, "message_id": "log:1"}, 0) for e in "cd"]
    assert not applied.client.insert_rows_json(applied.dataset.table("events_fact"), rows)
    sources = [
        golden.letter({"failed_at": "2026-03-02T10:00:00Z", "message_id": "log:2", "source": s}, 0)
        for s in ("mon/log", "tue/log")
    ]
    assert not applied.client.insert_rows_json(applied.dataset.table("dead_letters"), sources)
    _, table, _ = counted()
    assert (table["facts"], table["duplicates"], table["dead letters"]) == ("4", "0", "3")
    notes = [line for line in counted.lines if line.startswith("note: ")]
    assert notes == [
        "note: 1 message_ids stand for several messages (several event_ids): log:1",
        "note: 1 message_ids have dead letters from several sources, and count once each: log:2; "
        "read again from an archive it is one message, else there are several",
    ]


def test_replays_count_as_published(applied, counted, capsys):
    _, _, said = counted("--expected=4")
    assert "check --expected (replays count as published)" in said
    assert not [line for line in counted.lines if "replays" in line]
    replay = {"failed_at": "2026-03-02T10:00:00Z", "message_id": "r", "replay_count": 1}
    row = golden.letter(replay, 9)
    assert not applied.client.insert_rows_json(applied.dataset.table("dead_letters"), [row])
    counted("--expected=6")
    assert counted.lines[-1] == "note: replays count as published: each is a message of its own"
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "replays among them" in " ".join(capsys.readouterr().out.split())


def test_the_ends_of_the_calendar(counted):
    code, table, _ = counted("--start=0001-01-01T00:00:00Z", "--end=9999-12-31T23:59:59Z")
    assert (code, table["facts"], table["dead letters"]) == (0, "2", "2")
    assert counted("--start=9999-12-31T23:59:59Z")[1]["facts"] == "0"


def test_more_than_was_published_is_a_failure_too(counted):
    code, table, said = counted("--expected=4")
    assert (code, table["unaccounted"]) == (1, "-1")
    assert "1 messages more than were published: check --expected" in said


def test_nobody_knows_what_was_published(counted):
    code, table, _ = counted()
    assert (code, table["published"], table["unaccounted"]) == (0, "not known", "not known")
    assert table["facts"] == "2"


def test_a_window_of_all_times_reads_all_partitions():
    window = Window(dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC))
    assert (window.first_date, window.last_date) == (Window().first_date, Window().last_date)


def test_a_window_says_which_partitions_it_reads(counted):
    window = ("--start=2026-03-02T10:00:00Z", "--end=2026-03-02T12:00:00+02:00")
    with pytest.raises(SystemExit):
        counted(*window)  # the same moment
    code, table, said = counted(window[0], "--end=2026-03-02T13:00:00+02:00", "--expected=5")
    assert (code, table["unaccounted"]) == (0, "0")
    assert "partitions from 2026-02-22 to 2026-03-04 (for conflicts 8 days more)" in said
    assert ", of dead letters up to today's: " in said
    code, table, said = counted("--start=2026-03-02T10:00:01Z")
    assert (table["facts"], table["dead letters"]) == ("0", "0")
    assert "partitions from 2026-02-22 (for" in said


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--dataset=local-exams.x", "--expected=-1"],
        ["--dataset=local-exams.x", "--expected=many"],
        ["--dataset=local-exams.x", "--start=2026-03-02T10:00:00"],
        ["--dataset=local-exams.x", "--end=soon"],
        ["--dataset=local-exams.x", "--start=0001-01-01T00:00:00+14:00"],
        ["--dataset=local-exams.x", "--end=9999-12-31T23:59:59-14:00"],
        ["--dataset=local-exams.x` WHERE TRUE --"],
    ],
)
def test_wrong_arguments_are_one_line(options, capsys):
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_cannot_be_read_is_one_line(warehouse, monkeypatch, capsys):
    assert main([f"--dataset={warehouse.dataset}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setattr("gcp.queries.CALL", {"retry": None})
    assert main([f"--dataset={warehouse.dataset}"]) == 1
    assert capsys.readouterr().err == (
        "error: BigQuery does not answer at 127.0.0.1:1 (BIGQUERY_EMULATOR_HOST)\n"
    )
