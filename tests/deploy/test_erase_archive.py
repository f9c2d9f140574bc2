"""The raw archive on Cloud Storage: objects are rewritten in their place."""

import subprocess
import sys

import pytest

from tests.deploy.building import BUCKET, bucket, upload
from tests.pipeline.test_erase import BROKEN, OTHERS, STUDENT, read_archive, write_archive

pytestmark = pytest.mark.xdist_group("template")


def test_objects_are_rewritten_in_their_place(launch_environment, storage_emulator, tmp_path):
    environment, dataset = launch_environment
    local = tmp_path / "local.avro"
    for name, payloads in {"mixed": [*BROKEN, *OTHERS], "mine": BROKEN}.items():
        write_archive(local, payloads)
        upload(storage_emulator, local, f"students/{name}.avro")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.erase",
            f"--dataset={dataset}",
            "--students=-",
            f"--archive=gs://{BUCKET}/students/*.avro",
        ],
        env=environment,
        input=STUDENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"2 of 2 files rewritten, without {2 * len(BROKEN)} messages" in done.stdout
    [left] = bucket(storage_emulator).list_blobs(prefix="students/")
    left.download_to_filename(local)
    assert [record["data"] for record in read_archive(local)[0]] == OTHERS
