"""Command lines that mean harm: names that would leave their quotes, and values that are SQL."""

import pytest

from ddl.__main__ import main as ddl
from pipeline.main import main as pipeline
from pipeline.reconcile import main as reconcile
from pipeline.replay import candidate_sources
from pipeline.replay.__main__ import _parse as parse_replay
from pipeline.replay.__main__ import main as replay
from pipeline.sinks.insert_rows import json_row
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.transforms.builders import letter, message
from transforms.dead_letters import DeadLetterRow, to_row

TOPIC = "--topic=projects/local-exams/topics/events"
NAMES = [
    "",
    ".",
    "exams",
    "local-exams.",
    "local-exams.x`; DROP TABLE events_fact; --",
    "local-exams.x` WHERE TRUE OR `y",
    "local-exams.x' OR '1'='1",
    "local-exams.x;",
    "local-exams.x\n",
    "local-exams.x\x00",
    "local-exams.x\x1b[2J",
    "local-exams.x y",
    "local-exams.${dataset}",
    "local-exams.$project",
    "local-exams.x.events_fact",
    "local-exams.../x",
    "local-exams.é",
    "local-exams.\N{FULLWIDTH LATIN SMALL LETTER X}",
    "local-exams." + "x" * 1_025,
    "Local-exams.x",
    "`local-exams`.x",
    "{dataset}.x",
]
RESOURCES = [
    "",
    "events",
    "projects/local-exams/{kind}/",
    "projects/local-exams/{kind}/ab",
    "projects/local-exams/{kind}/../{kind}/events",
    "projects/local-exams/{kind}/events\n",
    "projects/local-exams/{kind}/events/x",
    "projects/local-exams/{kind}/events?x=y",
    "projects/../{kind}/events",
    "projects//{kind}/events",
    "projects/local-exams/snapshots/events",
    "projects/local-exams/{kind}/\N{CYRILLIC SMALL LETTER IE}vents",
    "projects/local-exams/{kind}/1events",
]
SQL = "2026-03-02' OR '1'='1"


def refuses(command, capsys, *arguments):
    """Whether the command ends at its arguments, with one line; no service is there to be asked."""
    try:
        code = command(list(arguments))
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert "\x1b" not in error
    assert "Traceback" not in error


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_is_a_name_or_nothing(name, capsys):
    dataset = f"--dataset={name}"
    refuses(ddl, capsys, "apply", dataset)
    refuses(ddl, capsys, "check", dataset)
    refuses(reconcile, capsys, dataset)
    refuses(replay, capsys, dataset, TOPIC)
    refuses(pipeline, capsys, dataset, "--input=x.jsonl")


@pytest.mark.parametrize("name", RESOURCES)
def test_a_topic_is_a_name_or_nothing(name, capsys):
    topic, subscription = (name.format(kind=kind) for kind in ("topics", "subscriptions"))
    refuses(replay, capsys, "--dataset=local-exams.x", f"--topic={topic}")
    refuses(replay, capsys, f"--dead_letter_subscription={subscription}", TOPIC)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (ddl, ["check", f"--start_date={SQL}"]),
        (ddl, ["check", f"--end_date={SQL}"]),
        (ddl, ["apply", f"--labels=a={SQL}"]),
        (ddl, ["apply", f"--partition_expiration_days=1 {SQL}"]),
        (reconcile, [f"--start={SQL}"]),
        (reconcile, [f"--end={SQL}"]),
        (reconcile, ["--expected=0 OR 1"]),
        (replay, [TOPIC, f"--start={SQL}"]),
        (replay, [TOPIC, "--kind=not_json' OR '1'='1"]),
        (replay, [TOPIC, "--max_replays=\u0663"]),
        (replay, [TOPIC, "--fix=__import__('os')"]),
        (replay, [TOPIC, "--event_family=x'\n"]),
        (replay, [TOPIC, "--no\nsuch\noption"]),
        (ddl, ["check", "--no\nsuch\noption"]),
    ],
)
def test_what_would_be_sql_is_refused_at_once(command, arguments, capsys):
    refuses(command, capsys, *arguments, "--dataset=local-exams.x")


def test_free_text_reaches_no_query(tmp_path):
    """A test's id and a list of ids may be any text; they are compared in Python."""
    file = tmp_path / "ids.txt"
    file.write_text("x') OR TRUE --\n")
    options = ["--dataset=local-exams.x", TOPIC, "--test=x' OR TRUE --", f"--ids={file}"]
    selection = parse_replay(options).selection
    assert "TRUE" not in str(candidate_sources.parameters([EXAM_EVENT], selection))


def test_free_text_is_only_compared(applied, capsys, tmp_path):
    rows = [json_row(DeadLetterRow._fields, to_row(letter(message())))]
    assert not applied.client.insert_rows_json(applied.dataset.table("dead_letters"), rows)
    file = tmp_path / "ids.txt"
    file.write_text("m1\n")
    command = [f"--dataset={applied.dataset}", TOPIC, "--dry_run"]
    assert replay([*command, "--test=x' OR '1'='1"]) == 0
    assert capsys.readouterr().out.split() == ["not_json", "not", "selected", "1"]
    assert replay([*command, "--test=t1", f"--ids={file}"]) == 0
    assert "would be replayed" in capsys.readouterr().out
