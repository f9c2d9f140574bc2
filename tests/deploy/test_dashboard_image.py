"""The dashboard's container file, as far as it can be looked at without building it."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.architecture import imports, modules

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/dashboard/Dockerfile").read_text()
COPIED = set(re.findall(r"^COPY (\w+) \w+$", DOCKERFILE, re.MULTILINE))
_PIP = re.search(r"--constraint constraints.txt (.*?)&&", DOCKERFILE, re.DOTALL)
INSTALLED = set(_PIP[1].replace("\\", "").split())
# Distribution to the module that it is imported by.
MODULES = {"google-cloud-pubsub": "google.cloud.pubsub_v1", "apache-beam": "apache_beam"}


def _listed(name):
    """The packages of a list in setup.py, without their versions."""
    keywords = {
        keyword.arg: keyword.value
        for node in ast.walk(ast.parse((ROOT / "setup.py").read_text()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
    }
    if name == "install_requires":
        found = ast.literal_eval(keywords[name])
    else:
        found = ast.literal_eval(keywords["extras_require"])[name]
    return {re.match(r"[a-z0-9-]+", package)[0] for package in found}


def test_the_image_has_the_packages_that_the_dashboard_imports():
    found = {
        name[0]
        for package in COPIED
        for path in modules(ROOT, package)
        for name in imports(ROOT, path)
    }
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert found & ours <= COPIED
    assert _listed("dashboard") <= INSTALLED <= _listed("dashboard") | _listed("install_requires")


def test_nothing_else_has_to_be_installed(tmp_path):
    """What the image does not install cannot be imported here either."""
    for package in COPIED:
        shutil.copytree(ROOT / package, tmp_path / package)
    absent = (
        _listed("install_requires") - INSTALLED - {"grpcio", "packaging", "pyarrow", "requests"}
    )
    blocked = [MODULES.get(name, name.replace("-", "_")) for name in absent]
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}));"
        "sys.argv = ['x', 'serve', '--help']; import runpy;"
        "runpy.run_module('dashboard', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--max_bytes" in done.stdout
    assert "apache_beam" in blocked


def test_the_image_starts_the_page_where_it_is_looked_for():
    entry_point = re.findall(r'"(.*?)"', DOCKERFILE.partition("ENTRYPOINT")[2])
    assert entry_point[:4] == ["python", "-m", "dashboard", "serve"]
    assert "--port=8080" in entry_point
    assert "EXPOSE 8080" in DOCKERFILE
    assert "127.0.0.1:8080/healthz" in DOCKERFILE
