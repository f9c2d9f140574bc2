"""Data flows one way (DESIGN 1): between packages, and between the folders of pipeline/."""

import runpy
import textwrap
from pathlib import Path

import pytest

from tests.support import architecture

ROOT = Path(__file__).parents[1]


def test_no_rule_of_the_architecture_is_broken():
    assert architecture.violations(ROOT) == []


PLANTED = {
    "a package that is above": (
        {"schemas/message.py": "import transforms.decoding.decode"},
        "schemas/message.py imports transforms",
    ),
    "inside a function": (
        {"transforms/rows.py": "def late():\n    from pipeline import options\n"},
        "transforms/rows.py imports pipeline",
    ),
    "for its types alone": (
        {"ddl/plan.py": "if TYPE_CHECKING:\n    from local_runner.stage import PubSubNames\n"},
        "ddl/plan.py imports local_runner",
    ),
    "two levels up": (
        {"pipeline/sinks/__init__.py": "", "pipeline/sinks/rows.py": "from ..erase import files"},
        "pipeline/sinks/rows.py imports pipeline.erase",
    ),
    "a neighbour that is above": (
        {"pipeline/lookups/starts.py": "from pipeline import replay"},
        "pipeline/lookups/starts.py imports pipeline.replay",
    ),
    "two folders one another": (
        {
            "pipeline/replay/letters.py": "import pipeline.erase.people",
            "pipeline/erase/people.py": "from pipeline.replay.letters import ReplayCandidate",
        },
        "pipeline/ has a circle of imports: ",
    ),
    "the tests": ({"gcp/clients.py": "import tests.conftest"}, "gcp/clients.py imports tests"),
    "the page the pipeline": (
        {"dashboard/page.py": "from pipeline.version import VERSION"},
        "dashboard/page.py imports pipeline",
    ),
    "too many modules": (
        {f"ddl/stored/m{number}.py": "" for number in range(15)},
        "ddl/stored has 15 modules",
    ),
    "a module that is too long": (
        {"warehouse/runs.py": "a = 1\n" * 301},
        "warehouse/runs.py has 301 lines",
    ),
    "a test a test": (
        {"tests/ddl/test_a.py": "from tests.ddl.test_b import B", "tests/ddl/test_b.py": "B = 1"},
        "tests/ddl/test_a.py imports tests.ddl.test_b",
    ),
    "a test as a module": (
        {"tests/a.py": "from tests import test_b", "tests/test_b.py": ""},
        "tests/a.py imports tests.test_b",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found(name, tmp_path):
    files, expected = PLANTED[name]
    plant(tmp_path, files)
    [found] = architecture.violations(tmp_path)
    assert found.startswith(expected)


def test_what_the_rules_allow_is_not_found(tmp_path):
    plant(
        tmp_path,
        {
            "gcp/clients.py": "from schemas import message",
            "pipeline/graph.py": "from pipeline.sinks import rows\nfrom gcp import clients",
            "pipeline/replay/letters.py": "from pipeline.sources import files",
            "pipeline/erase/people.py": "from pipeline.replay.letters import ReplayCandidate",
            "pipeline/sources/files.py": "import json\nimport replay",
            "dashboard/page.py": "import gcp.clients",
            "tests/oracle.py": "def test_summary(): ...",
            "tests/test_a.py": "from tests.oracle import test_summary",
        }
        | {f"benchmarks/m{number}.py": "" for number in range(20)},
    )
    assert architecture.violations(tmp_path) == []


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def test_only_lateness_knows_what_an_exam_is():
    for path in architecture.modules(ROOT, "transforms"):
        if not path.relative_to(ROOT / "transforms").parts[0].startswith("lateness"):
            names = {".".join(name) for name in architecture.imports(ROOT, path)}
            assert not any(name.startswith("schemas.exam_event.event") for name in names), path


def test_setup_lists_every_package(monkeypatch):
    given = {}
    monkeypatch.setattr("setuptools.setup", lambda **arguments: given.update(arguments))
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    folders = {p.parent for name in architecture.PRODUCT for p in architecture.modules(ROOT, name)}
    assert set(given["packages"]) == {".".join(f.relative_to(ROOT).parts) for f in folders}


def test_the_oracle_of_lateness_imports_nothing_of_ours():
    oracle = ROOT / "tests" / "support" / "lateness_oracle.py"
    imported = {name[0] for name in architecture.imports(ROOT, oracle)}
    assert not imported & {*architecture.MAY_IMPORT, "tests"}
