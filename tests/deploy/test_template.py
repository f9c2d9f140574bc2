"""The Dataflow job, read as the service would read it."""

import io
import tarfile

import pytest

from tests.deploy.conftest import PACKAGES, ROOT

pytestmark = pytest.mark.xdist_group("template")
STEP_NAMES = ROOT / "deploy" / "step_names.txt"
RENEWED = ROOT / "build" / "step_names.txt"
# Beam's own: Pub/Sub's proto is decoded in a step fused to the read, and file names are shared out.
BEAMS_OWN = ("ReadMessages/FromPubSub/", "ReadMessages/ShareOut/")


def test_the_steps_are_those_that_running_jobs_know(template):
    steps = template.steps
    if steps != STEP_NAMES.read_text().splitlines():
        RENEWED.parent.mkdir(exist_ok=True)
        RENEWED.write_text("".join(f"{step}\n" for step in steps))
        pytest.fail(
            "the names of the steps have changed. A running job is updated by them: what is "
            "in flight under a name that is gone is lost. If that is meant, say so in the "
            f"CHANGELOG, and renew the list: cp {RENEWED} {STEP_NAMES}"
        )


def test_it_is_a_streaming_job_on_streaming_engine(template):
    assert template.job["type"] == "JOB_TYPE_STREAMING"
    assert "enable_streaming_engine" in template.job["environment"]["experiments"]
    assert template.options["streaming"] is True
    assert template.options["dataset"].startswith("local-exams.launch_")


def test_dataflow_drops_no_copies_unless_asked(templates):
    def id_labels(template):
        return [
            transform.spec.payload.count(b"deduplicate_by")
            for transform in template.pipeline.components.transforms.values()
            if transform.spec.urn == "beam:transform:pubsub_read:v1"
        ]

    assert id_labels(templates["plain"]) == [0]
    assert id_labels(templates["id_label"]) == [1]
    assert templates["id_label"].steps == templates["plain"].steps


def test_a_backfill_from_the_archive_is_a_batch_job(templates):
    backfill = templates["backfill"]
    assert backfill.job["type"] == "JOB_TYPE_BATCH"
    assert backfill.options["streaming"] is False
    assert "JudgeLateness/GroupBySession" in backfill.steps
    assert not any("FromPubSub" in step for step in backfill.steps)


def test_no_step_runs_in_java(template):
    environments = template.pipeline.components.environments.values()
    images = [environment.payload.decode() for environment in environments]
    assert len(images) == 1
    assert "beam_python3" in images[0]
    urns = {t.spec.urn for t in template.pipeline.components.transforms.values()}
    assert not any("external" in urn for urn in urns)


@pytest.mark.parametrize("name", ["plain", "backfill"])
def test_what_travels_between_steps_has_a_coder_of_its_own(templates, name):
    template = templates[name]
    components = template.pipeline.components
    steps = [t for t in components.transforms.values() if not t.subtransforms]
    read = {pcollection for step in steps for pcollection in step.inputs.values()}
    pickled = {
        f"{step.unique_name}.{tag}"
        for step in steps
        for tag, pcollection in step.outputs.items()
        if pcollection in read and not step.unique_name.startswith(BEAMS_OWN)
        if any("FastPrimitives" in name for name in coders(components, pcollection))
    }
    assert pickled == set()


def coders(components, pcollection):
    """The names of the coders of a PCollection; Beam puts the class into the id."""

    def flat(name):
        yield name
        for inner in components.coders[name].component_coder_ids:
            yield from flat(inner)

    return set(flat(components.pcollections[pcollection].coder_id))


def test_the_package_is_staged_whole(template):
    staged = {"workflow.tar.gz", "pickled_main_session", "submission_environment_dependencies.txt"}
    assert set(template.staged) == staged
    with tarfile.open(fileobj=io.BytesIO(template.staged["workflow.tar.gz"])) as sdist:
        names = {name.split("/", 1)[-1] for name in sdist.getnames()}
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".sql", ".avsc", ".html")
    }
    assert wanted <= names
    assert "setup.py" in names
