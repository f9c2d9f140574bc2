import argparse
import io
import json
import re
import uuid
from pathlib import Path

import fastavro
import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from gcp.clients import EMULATOR_VARIABLE
from local_runner.__main__ import main
from local_runner.arguments import parser
from local_runner.emulators.start import PROJECT, PUBSUB_VARIABLE
from local_runner.report.counts import arrived, rows
from local_runner.traffic import exam_log
from local_runner.traffic.publishing import pull

ROOT = Path(__file__).parents[2]
LOG = "1000\t7\tq1\t0\nbroken\n2000\t7\tq1\t1\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "quiz.tsv"
    path.write_text(LOG)
    return path


@pytest.fixture
def subscription(pubsub_emulator):
    """Its name, and that of its topic."""
    name = f"traffic-{uuid.uuid4().hex}"
    topic, subscription = (
        f"projects/{PROJECT}/{kind}/{name}" for kind in ("topics", "subscriptions")
    )
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(name=topic)
        subscriber.create_subscription(name=subscription, topic=topic)
    return subscription, topic


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["demo", "--messages", "0"],
        ["demo", "--seed", "x"],
        ["up", "--ports", "8085"],
        ["up", "--ports", "8085,9050,65536"],
        ["up", "--ports", "8085,9050,9050"],
        ["up", "--keep", __file__],
        ["simulate"],
        ["demo", "--event_family", "orders,parcels"],
        ["simulate", "--event_family", "", "--output", "x.avro"],
        ["simulate", "--topic", "exam-events"],
        ["simulate", "--topic", "projects/p/topics/t", "--output", "x.avro"],
        ["simulate", "--output", "x.jsonl"],
        ["simulate", "--output", "no-such-folder/x.avro"],
        ["simulate", "--output", "x.avro", "--rate", "0"],
        ["simulate", "--output", "x.avro", "--start", "2026-01-01T00:00:00"],
        ["import", "no-such-file.tsv", "--output", "x.jsonl"],
        ["import", __file__],
        ["import", __file__, "--dataset", "nowhere"],
        ["import", __file__, "--output", "x.avro"],
        ["import", __file__, "--output", "no-such-folder/x.jsonl"],
        ["import", __file__, "--output", "x.jsonl", "--exam_start", "soon"],
        ["import", __file__, "--output", "x.jsonl", "--topic", "projects/p/topics/t"],
    ],
)
def test_wrong_arguments_are_told_in_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path("no-such-folder").exists()


def options():
    """Each option with its command."""
    [commands] = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    for command, options in commands.choices.items():
        for action in options._actions:
            yield pytest.param(action, id=f"{command} {action.dest}")


@pytest.mark.parametrize("action", [*options()])
def test_the_help_of_an_option_says_what_it_means_and_its_default(action):
    assert action.help
    others = {"help", "file", "topic", "output", "dataset"}  # no default, or one of these is given
    assert action.dest in others or "(default: " in action.help
    seconds = action.dest.endswith("_seconds")
    assert not seconds or "in seconds" in action.help


@pytest.mark.parametrize("command", ["demo", "up", "simulate", "import"])
def test_help_fits_80_columns(command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_help_of_import_shows_the_format_with_a_line_that_parses(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    printed = capsys.readouterr().out
    [example] = (line for line in printed.splitlines() if line.count("\t") == 3)
    path = tmp_path / "quiz.tsv"
    path.write_text(example.strip() + "\n")
    log = exam_log.read_log(path, exam_log.default_start())
    assert (len(log.lines), log.bad_lines) == (1, [])


@pytest.mark.parametrize(
    ("variable", "goal"),
    [
        (PUBSUB_VARIABLE, ["--topic", "projects/local-exams/topics/traffic"]),
        (EMULATOR_VARIABLE, ["--dataset", "local-exams.exams"]),
    ],
)
def test_an_emulator_that_does_not_answer_is_told_at_once(variable, goal, log, monkeypatch, capsys):
    monkeypatch.setenv(variable, "127.0.0.1:1")
    assert main(["import", str(log), *goal]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("error: ")
    assert variable in last


def test_simulate_writes_the_same_archive_again(tmp_path):
    path = tmp_path / "a.avro"
    arguments = ["simulate", "--messages", "40", "--start", "2026-01-01T08:00:00Z", "--output"]
    archives = []
    for _ in range(2):
        assert main([*arguments, str(path)]) == 0
        archives.append(list(fastavro.reader(io.BytesIO(path.read_bytes()))))
    first, second = archives
    assert len(first) == 40
    assert first == second


def test_simulate_mixes_event_families(tmp_path):
    path = tmp_path / "a.avro"
    names = "orders,inventory,user_activity"
    options = ["--messages", "300", "--event_family", names, "--output", str(path)]
    assert main(["simulate", *options]) == 0
    records = list(fastavro.reader(io.BytesIO(path.read_bytes())))
    assert len(records) == 300
    named = {record["attributes"].get("event_family") for record in records}
    assert named == {*names.split(","), None}


def test_simulate_says_what_it_wrote(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "--messages", "40", "--output", "a.avro"]) == 0
    size = Path("a.avro").stat().st_size
    assert capsys.readouterr().out == f"Wrote 40 messages to a.avro ({size:,} bytes)\n"


def test_import_says_what_it_wrote(log, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["import", str(log), "--output", "a.jsonl"]) == 0
    size = Path("a.jsonl").stat().st_size
    assert capsys.readouterr().out == f"Wrote 5 messages to a.jsonl ({size:,} bytes)\n"


def test_simulate_publishes_at_a_rate(subscription, capsys):
    name, topic = subscription
    assert main(["simulate", "--topic", topic, "--messages", "60", "--rate", "1000"]) == 0
    assert len(pull(name, 60)) == 60
    assert "Published: 60 of 60" in capsys.readouterr().out


def test_a_topic_that_is_not_there_is_told_in_one_line(pubsub_emulator, capsys):
    topic = "projects/local-exams/topics/none"
    assert main(["simulate", "--topic", topic, "--messages", "600"]) == 1
    printed = capsys.readouterr()
    assert printed.err == f"error: topic {topic} does not exist: create it first\n"
    assert not re.search("Published: [1-9]", printed.out)


def test_import_writes_a_file_and_tells_bad_lines(log, tmp_path, capsys):
    goal = tmp_path / "quiz.jsonl"
    arguments = ["import", str(log), "--exam_start", "2026-02-01T00:00:00+00:00", "--output"]
    assert main([*arguments, str(goal)]) == 0
    events = [json.loads(line) for line in goal.read_text().splitlines()]
    assert [e["event_type"] for e in events] == [
        "session_start",
        "answer_submit",
        "answer_resubmit",
        "test_submit",
        "session_end",
    ]
    assert {e["test_id"] for e in events} == {"quiz"}
    assert capsys.readouterr().err == f"{log}:2: 1 columns instead of 4, skipped\n"


def test_import_publishes(log, subscription):
    name, topic = subscription
    assert main(["import", str(log), "--topic", topic]) == 0
    assert len(pull(name, 5)) == 5


def test_import_loads_a_dataset(log, applied, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for again in range(2):
        assert main(["import", str(log), "--dataset", str(applied.dataset)]) == 0
        found = rows(applied.client, applied.dataset)
        assert found == {"events_fact": 5 + 5 * again, "dead_letters": 0}
        assert "5 facts and 0 dead letters" in capsys.readouterr().out
    assert arrived(applied.client, applied.dataset) == 5  # the same messages, twice


def test_import_into_a_dataset_that_is_not_there_is_told_in_one_line(log, warehouse, capsys):
    assert main(["import", str(log), "--dataset", str(warehouse.dataset)]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("error: ")
