"""The raw archive on Cloud Storage: objects are rewritten in their place."""

import datetime as dt
import subprocess
import sys

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Blob

from pipeline.erase.persons import rewrite
from tests.deploy.building import BUCKET, bucket, upload
from tests.pipeline.erase.students import BROKEN, OTHERS, STUDENT, students
from tests.support.archives import read_archive, write_archive

pytestmark = pytest.mark.xdist_group("template")


@pytest.fixture
def archive(storage_emulator, tmp_path):
    """Writes an archive of some messages to the bucket and gives the object."""

    def write(name, payloads):
        local = tmp_path / "local.avro"
        write_archive(local, payloads)
        upload(storage_emulator, local, f"{tmp_path.name}/{name}.avro")
        return bucket(storage_emulator).get_blob(f"{tmp_path.name}/{name}.avro")

    return write


def test_objects_are_rewritten_in_their_place(
    launch_environment, storage_emulator, archive, tmp_path
):
    environment, dataset = launch_environment
    # The emulator keeps what an object says of its age, but runs no rules: those that go by it are
    # compared with the file of Terraform in test_terraform.py.
    mixed, mine = archive("mixed", [*BROKEN, *OTHERS]), archive("mine", BROKEN)
    aged = archive("aged", [*BROKEN, *OTHERS])
    aged.custom_time = dt.datetime(2026, 1, 2, 3, 4, 5, 678_000, dt.UTC)
    aged.storage_class = "NEARLINE"
    aged.patch()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.erase",
            f"--dataset={dataset}",
            "--students=-",
            f"--archive=gs://{BUCKET}/{tmp_path.name}/*.avro",
        ],
        env=environment,
        input=STUDENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"3 of 3 files rewritten, without {3 * len(BROKEN)} messages" in done.stdout
    assert not mine.exists()
    left = {blob.name: blob for blob in bucket(storage_emulator).list_blobs(prefix=tmp_path.name)}
    assert left.keys() == {mixed.name, aged.name}
    assert left[mixed.name].time_created > mixed.time_created
    assert left[mixed.name].custom_time == mixed.time_created
    assert left[aged.name].custom_time == aged.custom_time
    assert left[aged.name].storage_class == "NEARLINE"
    for blob in left.values():
        assert blob.content_type == mixed.content_type
        blob.download_to_filename(tmp_path / "left.avro")
        assert [record["data"] for record in read_archive(tmp_path / "left.avro")[0]] == OTHERS


def test_an_object_that_another_run_rewrites_meanwhile_is_left_to_it(
    launch_environment, archive, monkeypatch
):
    """The answer is a fake: the emulator takes an upload whatever the condition."""
    blob = archive("mixed", [*BROKEN, *OTHERS])
    conditions = []

    def refuse(*_, if_generation_match, **__):
        conditions.append(if_generation_match)
        raise PreconditionFailed("conditionNotMet")

    monkeypatch.setattr(Blob, "upload_from_file", refuse)
    for name in ("STORAGE_EMULATOR_HOST", "NO_GCE_CHECK"):
        monkeypatch.setenv(name, launch_environment[0][name])
    with pytest.raises(OSError, match="has changed meanwhile: run it again"):
        rewrite(f"gs://{BUCKET}/{blob.name}", students([STUDENT]))
    assert conditions == [blob.generation]
