"""The staged job on workers that boot as Dataflow's do: ``make test-worker``.

A worker has Beam, our constraints, and what it installs from the staged package; it runs in a
folder without the project. Prism takes the place of the service.
"""

import os
import subprocess
import sys
import venv

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.prism_runner import PrismRunner
from apache_beam.transforms.environments import ExternalEnvironment
from google.cloud import pubsub_v1
from google.pubsub_v1.types import PubsubMessage

from gcp.clients import bigquery_client
from local_runner.emulators.start import PROJECT
from local_runner.processes.background import background
from tests import go_programs
from tests.deploy.building import build, free_port
from tests.deploy.conftest import ROOT, copy_of_the_project, streaming
from tests.pipeline.events import NOW, bodies, event
from tests.pipeline.payloads import DEAD, FACTS, KINDS
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.worker, pytest.mark.xdist_group("template")]
# An answer that waits for its session's start, and the start that comes after it.
WAITS = event("waits", session_id="known")
START = event(
    "start",
    event_type="session_start",
    question_id=None,
    session_id="known",
    session_duration_seconds=60,
)


@pytest.fixture(scope="session")
def programs():
    """Paths of Prism and of the boot program, built in the version of our Beam."""
    return go_programs.built()


@pytest.fixture(scope="session")
def pool(programs, launch_environment, tmp_path_factory):
    """HOST:PORT of a worker pool in a fresh virtual environment: what the SDK's image has."""
    folder = tmp_path_factory.mktemp("worker")
    venv.create(folder / "venv", with_pip=True)
    environment = launch_environment[0] | {
        "PATH": f"{folder}/venv/bin:{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT": "1",
    }
    python = str(folder / "venv" / "bin" / "python")
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "apache-beam[gcp]", "setuptools"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"Beam cannot be installed: {installed.stderr.strip().splitlines()[-1]}")
    address = f"localhost:{free_port()}"
    command = [python, "-m", "apache_beam.runners.worker.worker_pool_main"]
    command += [f"--service_port={address.partition(':')[2]}"]
    command += [f"--container_executable={programs['container']}"]
    elsewhere = ["sh", "-c", 'cd "$0" && exec "$@"', str(folder)]
    with background([*elsewhere, *command], folder / "pool.log", environment) as running:
        yield address
        print(running.last_lines(200))


@pytest.fixture
def rows(launch_environment, monkeypatch):
    """The rows of one of the tables (event_id, message_id and more), which are emptied first."""
    environment, dataset = launch_environment
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", environment["BIGQUERY_EMULATOR_HOST"])
    with bigquery_client(PROJECT) as client:
        for table in ("events_fact", "dead_letters"):
            client.query(f"DELETE FROM `{dataset.table(table)}` WHERE TRUE").result()
        yield lambda sql: list(client.query(sql.format(dataset=f"`{dataset}`")).result())


def test_the_streaming_job_as_it_was_staged(
    programs, pool, launch_environment, tmp_path, rows, monkeypatch
):
    environment, dataset = launch_environment
    template = build(
        copy_of_the_project(tmp_path),
        environment,
        *streaming(dataset),
        "--session_start_wait_seconds=1",
    )
    payloads = bodies(*FACTS, *DEAD)
    payloads += bodies(WAITS, START)
    pipeline = on_workers(fed(template.pipeline, payloads), pool, template.staged, tmp_path)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", environment["PUBSUB_EMULATOR_HOST"])

    options = PipelineOptions([f"--prism_location={programs['prism']}"])
    PrismRunner().run_portable_pipeline(pipeline, options).wait_until_finish()

    check_rows(rows)
    waiting = [row.late_status for row in statuses(rows) if row.event_id == "waits"]
    assert waiting == ["ON_TIME"]
    letters = pulled("projects/local-exams/subscriptions/launch-dead", len(DEAD))
    assert sorted(m.data for m in letters) == sorted(payloads[len(FACTS) : -2])


def test_a_file_with_the_package_and_nothing_else(
    programs, pool, launch_environment, tmp_path, rows
):
    environment, dataset = launch_environment
    source = tmp_path / "events.jsonl"
    payloads = bodies(*FACTS, *DEAD)
    source.write_bytes(b"\n".join(payloads))
    root = tmp_path / "project"
    root.mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.main",
            f"--input={source}",
            f"--dataset={dataset}",
            "--runner=PrismRunner",
            f"--prism_location={programs['prism']}",
            "--environment_type=EXTERNAL",
            f"--environment_config={pool}",
            "--setup_file=./setup.py",
        ],
        cwd=copy_of_the_project(root),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check_rows(rows)


def check_rows(rows):
    assert {row.event_id for row in statuses(rows)} >= {payload["event_id"] for payload in FACTS}
    kinds = rows("SELECT error_kind, COUNT(*) AS n FROM {dataset}.dead_letters GROUP BY error_kind")
    assert {row.error_kind: row.n for row in kinds} == KINDS


def statuses(rows):
    return rows("SELECT event_id, late_status FROM {dataset}.events_fact")


def fed(pipeline, payloads):
    """The same pipeline with these messages in the place of Pub/Sub's."""
    messages = [
        PubsubMessage.serialize(PubsubMessage(data=data, message_id=f"m{number}", publish_time=NOW))
        for number, data in enumerate(payloads)
    ]
    donor = beam.Pipeline()
    # A method of a dict, since a function of this file is not on the worker.
    _ = donor | beam.Impulse() | "Feed" >> beam.FlatMap({b"": messages}.get)
    proto = donor.to_runner_api()
    [feed] = [t for t in proto.components.transforms.values() if t.unique_name == "Feed"]

    pipeline = beam_runner_api_pb2.Pipeline.FromString(pipeline.SerializeToString())
    parts = pipeline.components
    [read] = [t for t in parts.transforms.values() if t.spec.urn == "beam:transform:pubsub_read:v1"]
    [output] = read.outputs.values()
    parts.pcollections["impulse"].CopyFrom(parts.pcollections[output])
    impulse = parts.transforms["impulse"]
    impulse.unique_name = "Impulse"
    impulse.spec.urn = "beam:transform:impulse:v1"
    impulse.outputs["out"] = "impulse"
    [root] = pipeline.root_transform_ids
    parts.transforms[root].subtransforms.insert(0, "impulse")
    read.spec.CopyFrom(feed.spec)
    read.inputs["in"] = "impulse"
    return pipeline


def on_workers(pipeline, pool, staged, folder):
    """The same pipeline on the workers of a pool; what is staged comes from a folder."""
    [environment] = pipeline.components.environments.values()
    external = ExternalEnvironment(pool).to_runner_api(None)
    environment.urn, environment.payload = external.urn, external.payload
    for dependency in environment.dependencies:
        artifact = beam_runner_api_pb2.ArtifactUrlPayload.FromString(dependency.type_payload)
        path = folder / artifact.url.rsplit("/", 1)[-1]
        path.write_bytes(staged[path.name])
        artifact.url = path.as_uri()
        dependency.type_payload = artifact.SerializeToString()
    return pipeline


def pulled(subscription, count):
    """So many messages of a subscription."""
    messages = []
    with pubsub_v1.SubscriberClient() as client:
        while len(messages) < count:
            answer = client.pull(
                subscription=subscription, max_messages=100, timeout=PATIENCE_SECONDS
            )
            messages += [received.message for received in answer.received_messages]
    return messages
