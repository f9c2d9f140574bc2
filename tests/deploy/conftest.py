"""The job as Dataflow would get it, built offline by the command that a person runs."""

import concurrent.futures
import os
import shutil
import sys
import urllib.request
import uuid
from pathlib import Path

import pytest

from ddl.apply import apply
from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT
from local_runner.processes.background import background
from tests.deploy.building import BUCKET, Template, build, free_port, resources, upload, wait_until
from tests.support.archives import write_archive

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "schemas",
    "gcp",
    "transforms",
    "pipeline",
    "ddl",
    "warehouse",
    "dashboard",
    "local_runner",
)


@pytest.fixture(scope="session")
def storage_emulator(tmp_path_factory):
    """Cloud Storage in memory, with one bucket; gives its URL."""
    port = free_port()
    command = [Path(sys.executable).with_name("gcp-storage-emulator"), "start", "--in-memory"]
    command += ["--host=127.0.0.1", f"--port={port}", f"--default-bucket={BUCKET}"]
    url = f"http://127.0.0.1:{port}"
    with background(list(map(str, command)), tmp_path_factory.mktemp("gcs") / "gcs.log"):
        wait_until(lambda: urllib.request.urlopen(url, timeout=5).close() is None)
        yield url


@pytest.fixture(scope="session")
def launch_environment(_pubsub, _bigquery, storage_emulator):
    """Everything of Google's that a launch looks at, as variables, and a dataset with tables."""
    services = _bigquery.environment | _pubsub.environment
    dataset = Dataset(PROJECT, f"launch_{uuid.uuid4().hex}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in services.items():
            patch.setenv(name, value)
        with bigquery_client(PROJECT) as client:
            apply(client, dataset)
        resources("launch")
    storage = {"STORAGE_EMULATOR_HOST": storage_emulator, "NO_GCE_CHECK": "true"}
    return os.environ | services | storage, dataset


@pytest.fixture(scope="session")
def templates(launch_environment, tmp_path_factory) -> dict[str, Template]:
    """The jobs by what is asked of them; made side by side.

    Beam looks for credentials for twenty seconds before it does without, in each of them.
    """
    environment, dataset = launch_environment
    archive = tmp_path_factory.mktemp("archive") / "day.avro"
    write_archive(archive, [b"{}"])
    upload(environment["STORAGE_EMULATOR_HOST"], archive, "archive/day.avro")
    asked = {
        "plain": streaming(dataset),
        "id_label": [*streaming(dataset), "--id_label=deduplicate_by"],
        "backfill": [f"--input=gs://{BUCKET}/archive/*.avro", f"--dataset={dataset}"],
    }

    def make(name):
        root = copy_of_the_project(tmp_path_factory.mktemp(name))
        return build(root, environment, *asked[name])

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(asked, pool.map(make, asked), strict=True))


@pytest.fixture(scope="session")
def template(templates) -> Template:
    """The streaming job as production launches it."""
    return templates["plain"]


def copy_of_the_project(folder):
    """What the package is built from; setuptools writes beside it."""
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    return folder


def streaming(dataset):
    """The options of a stream."""
    return [
        f"--input_subscription=projects/{PROJECT}/subscriptions/launch",
        f"--dead_letter_topic=projects/{PROJECT}/topics/launch-dead",
        f"--dataset={dataset}",
    ]
