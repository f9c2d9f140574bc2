"""The infrastructure as code, against the code: names that both must agree on."""

import json
import os
import re
import shutil
import subprocess

import pytest

from ddl import files, statements
from gcp.dataset import Dataset
from schemas import metrics
from schemas.errors import ErrorKind
from schemas.families import FAMILIES
from schemas.lateness import LateStatus
from tests.deploy.conftest import ROOT
from tests.deploy.terraform_files import FOLDER, TEXT, blocks, local, resources

DEPLOY = (ROOT / "docs" / "deploy.md").read_text()
METRICS = {
    *(value for name, value in vars(metrics).items() if name.isupper()),
    *(metrics.error_kind_counter(kind) for kind in ErrorKind),
    *(metrics.late_status_counter(status) for status in LateStatus),
    *(f"{metrics.EVENT_LAG_SECONDS}_{part}" for part in ("MEAN", "MAX")),  # as Dataflow names them
    *(
        metrics.family_counter(counted, family)
        for counted in (metrics.ROUTED, metrics.WRITTEN, metrics.DEAD_LETTERS)
        for family in (None, "exam_event")
    ),
}
# A contract with private fields where Terraform looks for them.
_RECORD = {
    "type": "record",
    "fields": [{"name": "name", "type": "string", "private": True}, {"name": "n", "type": "int"}],
}
PARCEL = {
    "fields": [
        {"name": "sent_to", "type": "string", "private": True},
        {"name": "size", "type": "string"},
        {"name": "sender", "type": _RECORD},
        {"name": "items", "type": {"type": "array", "items": _RECORD}},
        {"name": "neighbour", "type": ["null", _RECORD]},
        {"name": "visits", "type": ["null", {"type": "array", "items": _RECORD}]},
    ]
}
PRIVATE = ["items.name", "neighbour.name", "sender.name", "sent_to", "visits.name"]


def terraform(*arguments, cwd=FOLDER, **more):
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    return subprocess.run(
        ["terraform", f"-chdir={cwd}", *arguments],
        env=os.environ | {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def test_the_files_are_formatted():
    done = terraform("fmt", "-check", "-diff")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_valid_to_the_provider(tmp_path):
    copy = shutil.copytree(ROOT / "deploy", tmp_path / "deploy") / "terraform"
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    if terraform("init", "-backend=false", "-input=false", cwd=copy).returncode:
        pytest.skip("terraform cannot install the provider: its registry is out of reach")
    done = terraform("validate", cwd=copy)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_are_registered_from_their_files_and_attached_to_no_topic():
    [schema] = resources("google_pubsub_schema").values()
    assert schema["for_each"] == "${local.contracts}"
    assert schema["definition"] == '${file("${local.repo}/${each.key}")}'
    assert not any(
        "schema_settings" in topic for topic in resources("google_pubsub_topic").values()
    )


@pytest.mark.parametrize("families", [["exam_event"], ["parcels"], ["exam_event", "parcels"]])
def test_a_familys_files_say_what_it_needs(tmp_path, families):
    contract = tmp_path / "schemas" / "parcels" / "v1.avsc"
    contract.parent.mkdir(parents=True)
    contract.write_text(json.dumps(PARCEL))
    table = tmp_path / "ddl" / "parcels" / "tables" / "parcels_fact.sql"
    table.parent.mkdir(parents=True)
    table.touch()
    private = PRIVATE if "parcels" in families else []
    names = ("exams", "contracts", "fact_tables", "private_columns", "of_any")
    assert locals_of_families(tmp_path, families, *names) == {
        "exams": "exam_event" in families,
        "contracts": [f"schemas/{family}/v1.avsc" for family in families],
        "fact_tables": [
            {"exam_event": "events_fact", "parcels": "parcels_fact"}[family] for family in families
        ],
        "private_columns": sorted(
            [*(["student_id"] if "exam_event" in families else []), *private]
        ),
        "of_any": "|".join([*families, "no_family"]),
    }


def test_no_private_field_is_left_without_a_policy_tag(tmp_path):
    private = {
        path
        for family in FAMILIES.values()
        for path, field in family.contract.walk()
        if field.private
    }
    found = locals_of_families(tmp_path, list(FAMILIES), "private_columns")
    assert set(found["private_columns"]) == private


def locals_of_families(copy, families, *names):
    """What families.tf says of these families in a copy of the project."""
    folder = copy / "deploy" / "terraform"
    folder.mkdir(parents=True)
    for name in ("families.tf", "variables.tf"):
        shutil.copy(FOLDER / name, folder)
    for name in ("schemas", "ddl"):
        shutil.copytree(ROOT / name, copy / name, dirs_exist_ok=True)
    done = terraform(
        "console",
        *(f"-var={name}=x" for name in ("project", "region", "alert_email")),
        f"-var=event_families={json.dumps(families)}",
        cwd=folder,
        input=f"jsonencode({{{', '.join(f'{name} = local.{name}' for name in names)}}})",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(json.loads(done.stdout))


def test_topics_and_subscriptions_are_named_as_the_docs_name_them():
    named = [*resources("google_pubsub_topic").values()]
    named += resources("google_pubsub_subscription").values()
    names = {resource["name"] for resource in named}
    assert names == {"exam-events", "exam-events-dead", "exam-events-archive"}
    assert all(f"`{name}`" in DEPLOY for name in names)
    watched = set(re.findall(r'(?:subscription|topic)_id=\\"([^"\\]+)\\"', TEXT))
    assert watched <= names


def test_the_archive_is_what_the_pipeline_reads():
    archive = resources("google_pubsub_subscription")["archive"]
    [storage] = archive["cloud_storage_config"]
    assert storage["filename_suffix"] == ".avro"
    assert storage["avro_config"] == [{"write_metadata": True}]


def test_a_rewritten_object_of_the_archive_is_deleted_when_the_original_would_have_been():
    rules = resources("google_storage_bucket")["archive"]["lifecycle_rule"]
    deleted = [rule["condition"] for rule in rules if rule["action"] == [{"type": "Delete"}]]
    assert deleted == [
        [{"age": "${var.archive_days}"}],
        [{"days_since_custom_time": "${var.archive_days}"}],
    ]


def test_alerts_and_charts_ask_for_counters_that_the_pipeline_keeps():
    text = TEXT.replace("${local.broken}", local("broken"))
    text = text.replace("${family}", "exam_event").replace(
        "${local.of_any}", "exam_event|no_family"
    )
    asked = re.findall(r'\$\{local\.counter\}=~?\\"([^"\\%]+)\\"', text)
    asked += re.findall(r'format\(local\.by_name, "([^"]+)"\)', text)
    assert len(asked) >= 12
    for pattern in asked:
        # Each part of a pattern, not only one of them, must name something.
        for part in parts(pattern):
            assert any(re.fullmatch(part, name) for name in METRICS), part


def parts(pattern):
    if group := re.fullmatch(r"(.*)\((.*)\)(.*)", pattern):
        return [group[1] + part + group[3] for part in group[2].split("|")]
    return pattern.split("|")


def test_every_alert_is_told_in_the_runbook():
    listed = re.findall(
        r"^### `([a-z-]+)`$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE
    )
    alerts = [*local("alerts"), *local("pull_alerts"), *local("capture_alerts")]
    assert sorted(listed) == sorted(alerts)
    [section] = re.findall(r'"([a-z-]+) \$\{family\}" =>', TEXT)  # one for each family
    assert section in listed


def test_a_lost_region_takes_nothing_with_it_that_the_runbook_does_not_name():
    """What lies in the region, and what hangs on that: none of it is to be read or destroyed."""
    bodies = {
        f"{kind}.{name}": str(body)
        for kind, named in blocks("resource")
        for name, body in named.items()
    }
    lost, found = set(), {"var.region"}
    while found - lost:
        lost |= found
        pattern = re.compile("|".join(rf"{re.escape(name)}\b" for name in lost))
        found = {address for address, body in bodies.items() if pattern.search(body)}
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    command = re.search(r"state rm \\\n(.*?)\n```", runbook, re.DOTALL)[1]
    assert sorted(command.replace("\\", "").split()) == sorted(lost - {"var.region"})
    kept = {"google_storage_bucket": "dataflow", "google_artifact_registry_repository": "images"}
    for kind, name in kept.items():
        [guard] = resources(kind)[name]["lifecycle"]
        assert guard == {"prevent_destroy": True}


def test_tables_are_those_of_the_ddl():
    tables = {p["table_id"] for p in resources("google_bigquery_row_access_policy").values()}
    tables |= set(re.findall(r'"(\w+)"', local("written_tables") + local("lateness_tables")))
    rules = {"lateness_rules", "lateness_settings", "tests_dim", "dimension_versions"}
    assert tables == {"events_fact", "dead_letters", "dimension_changes_fact"} | rules
    queries = statements.queries(Dataset("local-exams", "x"))
    assert tables <= files.find("tables").keys() | {query.name for query in queries}


def test_no_column_that_students_fill_is_left_without_a_policy_tag():
    tagged = set(re.findall(r'"(\w+)"', re.search(r"for column in \[(.*)\] :", TEXT)[1]))
    free = {"answer", "final_answer_option", "extra", "error_payload", "payload", "attributes"}
    assert tagged == free & statements.columns().keys()
    assert "private_row" in TEXT


def test_terraform_tells_every_setting_of_a_launch_and_no_other():
    script = (ROOT / "deploy" / "launch.sh").read_text()
    wanted = re.search(r"^for name in (.*?); do$", script, re.MULTILINE | re.DOTALL)[1]
    wanted += " " + " ".join(re.findall(r'^: "\$\{(\w+):=', script, re.MULTILINE))  # has a default
    listed = re.findall(r"^    ([A-Z_]+)=", TEXT, re.MULTILINE)
    assert sorted(listed) == sorted(wanted.replace("\\", "").split())


def test_the_docs_give_every_variable_that_has_no_default():
    needed = {name for name, variable in blocks("variable") if "default" not in variable}
    [tfvars] = re.findall(r"tfvars <<END\n(.*?)\nEND", DEPLOY, re.DOTALL)
    listed = set(re.findall(r"^(\w+) +=", tfvars, re.MULTILINE))
    assert needed <= listed <= {name for name, _ in blocks("variable")}
