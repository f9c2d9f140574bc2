"""docs/reliability.md names a test for each claim; here: that there is one of that name."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"\btest_\w+")


def test_every_test_that_the_page_names_exists():
    page = re.sub(r"tests/\S+", "", (ROOT / "docs/reliability.md").read_text())
    tests = "".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    named = set(NAME.findall(page))
    assert named
    assert named - set(re.findall(r"^def (test_\w+)", tests, re.MULTILINE)) == set()
