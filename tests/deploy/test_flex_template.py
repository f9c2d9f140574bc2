"""The Flex Template against what it starts: the options, the package, the image."""

import argparse
import json
import os
import re
import shutil
import subprocess

import pytest

from pipeline.options import ExamEventsOptions, UsageError, parse
from pipeline.source_options import PULL_OPTIONS
from schemas.families import FAMILIES
from tests.deploy.conftest import PACKAGES, ROOT
from tests.support.commands import STREAM

METADATA = ROOT / "deploy" / "metadata.json"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
PARAMETERS = {
    parameter["name"]: parameter for parameter in json.loads(METADATA.read_text())["parameters"]
}
# Beam's, to be given at each launch: the workers run the template's own image.
OF_BEAM = {"sdk_container_image"}
# Without Dataflow.
ON_ONE_MACHINE = {
    "input_postgres",
    *PULL_OPTIONS,
    "micro_batch",
    "micro_batch_max_messages",
    "micro_batch_max_seconds",
    "metrics_port",
}

VERSION = "projects/local-exams/secrets/pseudonyms-k1/versions/1"
# For each option what it takes and what it refuses.
SAMPLES = {
    "input_subscription": (
        ["projects/local-exams/subscriptions/events"],
        ["events", "projects/local-exams/topics/events", "projects//subscriptions/events"],
    ),
    "dead_letter_topic": (
        ["projects/local-exams/topics/dead"],
        ["dead", "projects/local-exams/topics/a/b", "projects/local-exams/subscriptions/dead"],
    ),
    "dataset": (
        ["local-exams.exams", "example.com:local-exams.exams_2"],
        ["exams", "local.exams", "local-exams.a-b", "Local-exams.exams", "local-exams.exams.x"],
    ),
    # The template takes any name, so that a further family changes no pattern.
    "event_family": (
        [*(name for name in FAMILIES if not FAMILIES[name].needs_pseudonyms), "orders,orders"],
        ["", "Exam_event", "exam_event,", "exam_event, exam_event", "exam_event;exam_event"],
    ),
    "publish_time": (
        ["2026-03-02T10:00:00Z", "2026-03-02T10:00:00.123456+02:00"],
        ["yesterday", "2026-03-02T10:00:00", "2026-03-02"],
    ),
    "max_event_age_days": (["1", "365", "1800", "3650"], ["0", "3651", "-1", "old", "1.5"]),
    "max_event_ahead_days": (["0", "1", "99", "365"], ["366", "-1", "soon"]),
    "session_start_wait_seconds": (["1", "60"], ["0", "-1", "a minute"]),
    "session_state_ttl_seconds": (["1", "691200"], ["0", "-1", "8d"]),
    "settings_refresh_seconds": (["1", "600"], ["0", "-1", "often"]),
    "write_method": (["STORAGE_WRITE_API", "STREAMING_INSERTS"], ["FILE_LOADS", ""]),
    "id_label": (["event_id"], []),
    "pseudonym_key": (
        [f"k1={VERSION}", f"k1={VERSION},k_2={VERSION[:-1]}12"],
        ["", VERSION, f"K1={VERSION}", f"k1={VERSION[:-1]}latest", "k1=env:KEY", "k1=file:/key"],
    ),
    "input": (["gs://archive/2026-03-02/*.avro", "events.jsonl"], ["gs://archive/", "events.csv"]),
}


def options():
    parser = argparse.ArgumentParser()
    ExamEventsOptions._add_argparse_args(parser)
    left_out = {"help", *ON_ONE_MACHINE}
    return {action.dest: action for action in parser._actions if action.dest not in left_out}


def test_the_template_takes_each_option_and_no_other():
    assert PARAMETERS.keys() == options().keys() | OF_BEAM
    assert SAMPLES.keys() == options().keys()


def test_it_says_of_each_option_what_the_command_says():
    for name, option in options().items():
        parameter = PARAMETERS[name]
        assert parameter["helpText"] == option.help % {"default": option.default}, name
        assert parameter["isOptional"] == (name != "dataset"), name


@pytest.mark.parametrize("name", SAMPLES)
def test_it_refuses_what_the_command_refuses(name):
    taken, refused = SAMPLES[name]
    assert [accepts(name, value) for value in taken] == [True] * len(taken)
    assert [runs_with(name, value) for value in taken] == [True] * len(taken)
    assert [accepts(name, value) for value in refused] == [False] * len(refused)
    assert [runs_with(name, value) for value in refused] == [False] * len(refused)


def accepts(name, value):
    return all(re.fullmatch(pattern, value) for pattern in PARAMETERS[name]["regexes"])


def runs_with(name, value):
    others = STREAM if name != "input" else [STREAM[-1]]
    kept = [argument for argument in others if not argument.startswith(f"--{name}=")]
    try:
        parse([*kept, "--runner=DataflowRunner", f"--{name}={value}"])
    except UsageError:
        return False
    return True


def test_the_image_holds_every_package_and_the_versions_that_are_tested():
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
    assert copied == set(PACKAGES)
    beam = re.search(r'"apache-beam\[gcp\]==([\d.]+)"', (ROOT / "setup.py").read_text())[1]
    assert f"apache/beam_python3.11_sdk:{beam} AS beam" in DOCKERFILE
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.search(r":\S*\d", image) for image in images), "each image has a pinned tag"
    assert "PIP_CONSTRAINT=/template/constraints.txt" in DOCKERFILE


def test_gcloud_makes_a_template_of_it(tmp_path):
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        pytest.skip("gcloud is not installed: install the Google Cloud CLI")
    command = [gcloud, "dataflow", "flex-template", "build", "gs://bucket/template.json"]
    command += ["--image=europe-docker.pkg.dev/local-exams/exams/exam-events:1"]
    command += ["--sdk-language=PYTHON", f"--metadata-file={METADATA}", "--print-only"]
    done = subprocess.run(
        [*command, "--project=local-exams", "--format=json"],
        env=os.environ
        | {"CLOUDSDK_CONFIG": str(tmp_path), "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    spec = json.loads(json.loads(done.stdout))
    assert {p["name"] for p in spec["metadata"]["parameters"]} == PARAMETERS.keys()
