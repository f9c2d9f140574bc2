"""Builds a Dataflow job without Dataflow, and reads what was built."""

import dataclasses
import json
import socket
import subprocess
import sys
import time
import uuid

from apache_beam.portability.api import beam_runner_api_pb2
from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1, storage

from local_runner.emulators.start import PROJECT
from tests.waiting import PATIENCE_SECONDS

BUCKET = "launches"


@dataclasses.dataclass(frozen=True)
class Template:
    """A job file, the pipeline it names, and what was staged for the workers, by file name."""

    job: dict
    pipeline: beam_runner_api_pb2.Pipeline
    staged: dict[str, bytes]

    @property
    def steps(self):
        """The full names of the steps that do something, in the order of the graph."""
        transforms = self.pipeline.components.transforms

        def leaves(names):
            for name in names:
                inner = transforms[name].subtransforms
                yield from leaves(inner) if inner else [transforms[name].unique_name]

        return list(leaves(self.pipeline.root_transform_ids))

    @property
    def options(self):
        """The pipeline options that the job carries."""
        return self.job["environment"]["sdkPipelineOptions"]["options"]


def build(root, environment, *options):
    """Runs ``python -m pipeline.main`` up to the submission, which goes to a file."""
    folder = f"gs://{BUCKET}/{uuid.uuid4().hex}"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.main",
            "--runner=DataflowRunner",
            "--region=europe-west1",
            f"--temp_location={folder}/tmp",
            f"--staging_location={folder}/staging",
            f"--template_location={folder}/job.json",
            "--setup_file=./setup.py",
            *options,
        ],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = read(environment["STORAGE_EMULATOR_HOST"], folder)
    pipeline = beam_runner_api_pb2.Pipeline.FromString(files.pop("pipeline.pb"))
    return Template(json.loads(files.pop("job.json")), pipeline, files)


def read(url, folder):
    """The objects under a folder, by the last part of their names."""
    blobs = bucket(url).list_blobs(prefix=folder.removeprefix(f"gs://{BUCKET}/"))
    return {blob.name.rsplit("/", 1)[-1]: blob.download_as_bytes() for blob in blobs}


def upload(url, path, name):
    """Puts a file into the bucket."""
    bucket(url).blob(name).upload_from_filename(path)


def bucket(url):
    """The bucket of the emulator at this URL."""
    client = storage.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": url},
    )
    return client.bucket(BUCKET)


def resources(name):
    """A topic and a subscription of this name, the same for dead letters with ``-dead``."""
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        for each in (name, f"{name}-dead"):
            topic = f"projects/{PROJECT}/topics/{each}"
            publisher.create_topic(name=topic)
            subscription = f"projects/{PROJECT}/subscriptions/{each}"
            subscriber.create_subscription(name=subscription, topic=topic)
        publisher.stop()


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(answers):
    """Waits until a call no longer raises OSError and is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if answers():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, "it does not answer"
        time.sleep(0.1)
