"""The exports for BI tools: what is in docs/bi, and what can be checked of it here."""

import re
from pathlib import Path

import msgspec
import pytest

from dashboard.__main__ import main
from dashboard.bi import export
from dashboard.semantic.model import tables

DOCS = Path(__file__).parents[2] / "docs/bi"
FILES = export.files()


def test_what_is_in_docs_is_what_the_model_says():
    assert export.differing(DOCS) == [], "run python -m dashboard bi --write"


def test_write_and_check_agree_and_check_names_what_differs(tmp_path, capsys):
    folder = f"--folder={tmp_path}"
    assert main(["bi", "--check", folder]) == 1
    assert main(["bi", "--write", folder]) == 0
    assert main(["bi", "--check", folder]) == 0
    (tmp_path / "ossie.yaml").write_text("changed")
    (tmp_path / "looker/left.view.lkml").write_text("left over")
    capsys.readouterr()
    assert main(["bi", "--check", folder]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "looker/left.view.lkml, ossie.yaml" in error
    main(["bi", "--write", folder])
    assert not (tmp_path / "looker/left.view.lkml").exists()


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".sql")])
def test_google_accepts_every_query_of_looker_studio(name, googlesql, dataset):
    for text in FILES[name].split(";\n")[:-1]:
        sql = text.replace("PROJECT.DATASET", str(dataset))
        sql = re.sub("@DS_(START|END)_DATE", "'20260302'", sql)
        googlesql.analyze(re.sub("@[a-z_]+", "'x'", sql))


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_google_accepts_the_sql_that_looker_would_write(table, googlesql, dataset):
    view = FILES[f"looker/{table.name}.view.lkml"]
    derived = re.search(r"sql:\n(.*?) ;;\n  }\n\n", view, re.DOTALL)[1]
    for tag in ("start", "end"):
        derived = derived.replace(f"{{% date_{tag} dates %}}", "TIMESTAMP '2026-03-02'")
    derived = derived.replace("@{project}.@{dataset}", str(dataset))
    fields = re.findall(r"^    sql: (.*?) ;;$", view, re.MULTILINE)
    assert len(fields) == len(table.dimensions) + len(table.measures)
    columns = [field.replace("${TABLE}", table.name) for field in fields]
    grouped = ", ".join(str(n + 1) for n in range(len(table.dimensions)))
    googlesql.analyze(
        f"SELECT {', '.join(columns)} FROM ({derived}) AS {table.name} GROUP BY {grouped}"
    )
    assert view.count("{") == view.count("}")


def test_google_accepts_the_sources_of_the_open_draft(googlesql, dataset):
    document = msgspec.yaml.decode(FILES["ossie.yaml"])
    assert document["version"] == "0.2.0.dev0"
    for model in document["semantic_model"]:
        names = {each["name"] for each in model["datasets"]}
        for each in model["datasets"]:
            keys = ", ".join(each["primary_key"])
            source = each["source"].replace("PROJECT.DATASET", str(dataset))
            googlesql.analyze(f"SELECT {keys} FROM ({source})")
            parts = [part["name"] for part in (*each["fields"], *each["metrics"])]
            assert len(set(parts)) == len(parts)
        assert {
            end for each in model["relationships"] for end in (each["from"], each["to"])
        } <= names
