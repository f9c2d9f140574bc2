"""What ``make`` prints to someone who has just cloned the project."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]


def make(*arguments):
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_alone_lists_every_target_that_the_pages_name():
    listed = make()
    assert make("help") == listed
    assert max(map(len, listed.splitlines())) <= 80
    targets = set(re.findall("^  ([a-z-]+)  ", listed, re.MULTILINE))
    named = {t for page in PAGES for t in re.findall("`make ([a-z-]+)", page.read_text())}
    assert {"demo", "test", "bench"} | named <= targets
    make("-n", "PROJECT=p", "REGION=r", "REPOSITORY=x", "BUCKET=b", *targets)  # each exists


@pytest.mark.parametrize("target", ["demo", "test"])
def test_an_installation_says_what_it_does_before_it_does_it(target, tmp_path):
    venv = tmp_path / "venv"
    commands = make("-n", target, f"VENV={venv}").splitlines()
    [pip] = (n for n, line in enumerate(commands) if " pip install " in line)
    assert f"Installing the pinned dependencies into {venv}" in commands[pip - 1]
