"""Jobs and services beside the pipeline, against the commands that they run."""

import json
import re

from prometheus_client import generate_latest

from pipeline.capture import __main__ as capture_command
from pipeline.capture.health import Health
from pipeline.source_options import PULL_OPTIONS, PULLED_FAMILIES
from tests.deploy.terraform_files import FOLDER, TEXT, local, resources
from warehouse import arguments as warehouse_arguments

WRITES = {"--dataset", "--event_family"}


def test_alerts_of_the_capture_ask_for_metrics_that_it_has():
    shown = generate_latest(Health("slot", 1).registry).decode()
    asked = set(re.findall(r"exam_events_capture_[a-z_]+", TEXT))
    assert len(asked) == 2
    assert all(name in shown for name in asked)


def test_pull_and_capture_are_given_arguments_that_they_take():
    pull = resources("google_cloud_run_v2_job")["pull"]["template"][0]["template"][0]
    capture = resources("google_cloud_run_v2_service")["capture"]["template"][0]
    [pull], [capture, _] = pull["containers"], capture["containers"]
    assert pull["command"] == ["python", "-m", "pipeline.main"]
    assert capture["command"] == ["python", "-m", "pipeline.capture"]
    assert set(local("postgres_families")) == set(PULLED_FAMILIES)
    options = re.findall(r'"(--\w+)', pull["args"])
    assert set(options) <= {"--input_postgres", *(f"--{name}" for name in PULL_OPTIONS), *WRITES}
    values = {"topic": "projects/p-1/topics/exam-events", "max_slot_lag_bytes": "1"}
    options = dict(re.findall(r'"--(\w+)=([^"]*)"', capture["args"]))
    options |= values | {"event_family": ",".join(PULLED_FAMILIES)}
    taken = capture_command._parse([f"--{name}={value}" for name, value in options.items()])
    assert [{"container_port": taken.metrics_port}] == capture["ports"]


def test_scheduled_runs_are_commands_that_the_runner_takes():
    commands = re.findall(r"args = (\[.*?\]) }", (FOLDER / "runs.tf").read_text())
    assert len(commands) == 2
    for command in map(json.loads, commands):
        arguments = [*command, "--dataset=local-exams.exams", "--env=prod"]
        warehouse_arguments.check(warehouse_arguments.parser().parse_args(arguments))
