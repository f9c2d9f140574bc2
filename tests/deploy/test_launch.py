"""deploy/launch.sh with the real gcloud, against an API of Dataflow that only writes down.

There is no emulator of Dataflow; what the service would do with the requests stays untold.
"""

import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest

from local_runner.emulators.start import PROJECT
from tests.deploy.building import BUCKET, bucket
from tests.deploy.conftest import ROOT

pytestmark = pytest.mark.xdist_group("launch")
SCRIPT = ROOT / "deploy" / "launch.sh"
STEPS = (ROOT / "deploy" / "step_names.txt").read_text().splitlines()
# Of a template for two families, and of jobs that read one or both of them.
BOTH = """ReadMessages/ToMessage
RouteEvents/Route
exam_event/ValidateEvents
exam_event/JudgeLateness/Settle
parcels/ValidateEvents
parcels/JudgeLateness/NotApplicable
DeadLetters""".splitlines()
EXAM = ["ReadMessages/ToMessage", "ValidateEvents", "JudgeLateness/Settle", "DeadLetters"]
PARCELS = ["ReadMessages/ToMessage", "ValidateEvents", "JudgeLateness/NotApplicable", "DeadLetters"]
JOBS = f"/v1b3/projects/{PROJECT}/locations/europe-west1/jobs"
SETTINGS = {
    "PROJECT": PROJECT,
    "REGION": "europe-west1",
    "JOB_NAME": "exam-events",
    "BUCKET": BUCKET,
    "REPOSITORY": "europe-west1-docker.pkg.dev/local-exams/exams",
    "SERVICE_ACCOUNT": "exam-pipeline@local-exams.iam.gserviceaccount.com",
    "SUBNETWORK": "regions/europe-west1/subnetworks/exams",
    "DATASET": "local-exams.exams",
    "EVENT_FAMILIES": "exam_event",
    "INPUT_SUBSCRIPTION": "projects/local-exams/subscriptions/exam-events",
    "DEAD_LETTER_TOPIC": "projects/local-exams/topics/exam-events-dead",
    "MIN_WORKERS": "1",
    "MAX_WORKERS": "10",
    "MACHINE_TYPE": "n2-standard-2",
    "LABELS": "team=exams,env=prod",
}


class Dataflow(http.server.ThreadingHTTPServer):
    """Answers gcloud; ``steps`` are those of the running job, None where nothing runs."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.steps = None
        self.asked = []

    @property
    def job(self):
        return {
            "id": "job-1",
            "name": SETTINGS["JOB_NAME"],
            "type": "JOB_TYPE_STREAMING",
            "currentState": "JOB_STATE_RUNNING",
            "currentStateTime": "2026-03-02T10:00:00Z",
            "createTime": "2026-03-02T10:00:00Z",
            "location": SETTINGS["REGION"],
            "pipelineDescription": {
                "originalPipelineTransform": [{"name": step} for step in self.steps or ()]
            },
        }

    def answer(self, method, path, body):
        self.asked.append((method, path, body))
        if path.endswith(":launch"):
            return {"job": {"id": "job-2", "name": SETTINGS["JOB_NAME"]}}
        if path == JOBS:
            return {"jobs": [] if self.steps is None else [self.job]}
        return self.job

    @property
    def changes(self):
        """The requests that change something: (method, path, body)."""
        return [asked for asked in self.asked if asked[0] != "GET"]


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        answer = self.server.answer(self.command, path, json.loads(body or "null"))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_):
        pass


@pytest.fixture
def dataflow():
    with Dataflow() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def store_steps(storage_emulator):
    """Writes the step names beside the template ``v2``."""

    def store(steps):
        names = bucket(storage_emulator).blob("templates/v2.steps.txt")
        names.upload_from_string("\n".join(steps))

    return store


@pytest.fixture
def launch(dataflow, storage_emulator, store_steps, tmp_path):
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed: install the Google Cloud CLI")
    store_steps(STEPS)
    environment = SETTINGS | {
        "CLOUDSDK_CONFIG": str(tmp_path),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_DATAFLOW": f"http://127.0.0.1:{dataflow.server_port}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{storage_emulator}/storage/v1/",
    }

    def run(*arguments, **changes):
        return subprocess.run(
            [SCRIPT, *arguments],
            env=os.environ | environment | changes,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_start_asks_for_what_production_needs(launch, dataflow):
    done = launch("start", "v2")
    assert (done.returncode, done.stdout) == (0, "job-2\n"), done.stderr
    [(_, path, body)] = dataflow.changes
    assert path.endswith("/flexTemplates:launch")
    assert body["launchParameter"] == {
        "jobName": "exam-events",
        "containerSpecGcsPath": f"gs://{BUCKET}/templates/v2.json",
        "parameters": {
            "input_subscription": SETTINGS["INPUT_SUBSCRIPTION"],
            "dead_letter_topic": SETTINGS["DEAD_LETTER_TOPIC"],
            "dataset": SETTINGS["DATASET"],
            "event_family": "exam_event",
            "sdk_container_image": f"{SETTINGS['REPOSITORY']}/exam-events:v2",
        },
        "environment": {
            "enableStreamingEngine": True,
            "additionalExperiments": ["streaming_mode_at_least_once", "min_num_workers=1"],
            "numWorkers": 1,
            "maxWorkers": 10,
            "machineType": "n2-standard-2",
            "serviceAccountEmail": SETTINGS["SERVICE_ACCOUNT"],
            "subnetwork": SETTINGS["SUBNETWORK"],
            "ipConfiguration": "WORKER_IP_PRIVATE",
            "additionalUserLabels": {"team": "exams", "env": "prod"},
            "stagingLocation": f"gs://{BUCKET}/staging",
            "tempLocation": f"gs://{BUCKET}/tmp",
        },
    }


def test_the_keys_of_pseudonyms_are_passed_on_by_reference(launch, dataflow):
    version = "projects/local-exams/secrets/exam-events-pseudonyms-k{0}/versions/1"
    keys = f"k1={version.format(1)},k2={version.format(2)}"
    done = launch("start", "v2", PSEUDONYM_KEYS=keys)
    assert done.returncode == 0, done.stderr
    [(_, _, body)] = dataflow.changes
    assert body["launchParameter"]["parameters"]["pseudonym_key"] == keys


def test_a_second_start_is_refused(launch, dataflow):
    dataflow.steps = STEPS
    done = launch("start", "v2")
    assert done.returncode == 1
    assert "update or drain it" in done.stderr
    assert dataflow.changes == []


@pytest.mark.parametrize("command", ["update", "rollback"])
def test_an_update_replaces_the_running_job(launch, dataflow, command):
    dataflow.steps = STEPS
    done = launch(command, "v2")
    assert done.returncode == 0, done.stderr
    [(_, _, body)] = dataflow.changes
    assert body["launchParameter"]["update"] is True
    assert "transformNameMappings" not in body["launchParameter"]


def test_an_update_that_would_lose_a_step_is_refused_unless_it_is_told_the_new_name(
    launch, dataflow
):
    dataflow.steps = ["JudgeLateness/OldName", *STEPS]
    done = launch("update", "v2")
    assert done.returncode == 1
    assert "JudgeLateness/OldName" in done.stderr
    assert dataflow.changes == []
    done = launch("update", "v2", f"JudgeLateness/OldName={STEPS[0]}")
    assert done.returncode == 0, done.stderr
    [(_, _, body)] = dataflow.changes
    mapping = body["launchParameter"]["transformNameMappings"]
    assert mapping == {"JudgeLateness/OldName": STEPS[0]}


def test_several_families_reach_the_job_as_one_parameter(launch, dataflow):
    done = launch("start", "v2", EVENT_FAMILIES="exam_event,parcels")
    assert done.returncode == 0, done.stderr
    [(_, _, body)] = dataflow.changes
    assert body["launchParameter"]["parameters"]["event_family"] == "exam_event,parcels"


@pytest.mark.parametrize(
    ("families", "steps"),
    [("exam_event", EXAM), ("parcels", PARCELS), ("parcels,exam_event", BOTH)],
)
def test_an_update_compares_the_steps_of_the_families_that_it_launches(
    launch, dataflow, store_steps, families, steps
):
    store_steps(BOTH)
    for running in (EXAM, PARCELS, BOTH):
        dataflow.steps = running
        done = launch("update", "v2", EVENT_FAMILIES=families)
        assert done.returncode == (0 if set(running) <= set(steps) else 1), done.stderr
        if lost := set(running) - set(steps):
            assert f"v2 with {families} has no step named {' '.join(sorted(lost))}:" in done.stderr
    assert len(dataflow.changes) == 1


def test_settings_without_families_launch_exam_events(launch, dataflow):
    done = launch("start", "v2", EVENT_FAMILIES="")
    assert done.returncode == 0, done.stderr
    [(_, _, body)] = dataflow.changes
    assert body["launchParameter"]["parameters"]["event_family"] == "exam_event"


@pytest.mark.parametrize("command", ["update", "rollback"])
def test_an_update_is_refused_where_the_running_steps_cannot_be_read(launch, dataflow, command):
    dataflow.steps = []
    done = launch(command, "v2")
    assert done.returncode == 1
    assert done.stderr.endswith("error: the running job's steps could not be read\n")
    assert dataflow.changes == []


def test_an_update_needs_a_running_job_and_a_template_with_its_steps(launch, dataflow):
    assert "no job named exam-events is running" in launch("update", "v2").stderr
    dataflow.steps = STEPS
    assert launch("update", "v1").returncode == 1
    assert dataflow.changes == []


def test_drain_lets_the_job_finish_what_it_holds(launch, dataflow):
    dataflow.steps = STEPS
    assert launch("drain").returncode == 0
    assert dataflow.changes == [("PUT", f"{JOBS}/job-1", {"requestedState": "JOB_STATE_DRAINED"})]


@pytest.mark.parametrize("arguments", [[], ["stop"], ["start"], ["drain", "v2"], ["update"]])
def test_wrong_arguments_are_one_line(launch, arguments):
    done = launch(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: deploy/launch.sh start TAG")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_setting_is_one_line_that_names_it(launch):
    done = launch("start", "v2", BUCKET="")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "BUCKET is not set" in done.stderr


def test_the_scripts_are_sound_to_a_linter():
    checker = shutil.which("shellcheck")
    command = [checker] if checker else ["bash", "-n"]
    done = subprocess.run([*command, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
