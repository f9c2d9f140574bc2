"""What every test relies on: signals reach its processes, no test hangs, none fails for time."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import go_programs

ROOT = Path(__file__).parents[1]
HEARS = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
HANGS = """
import time
from pathlib import Path

def wait_for_ever():
    time.sleep(1_000)

def test_hangs():
    try:
        wait_for_ever()
    finally:
        Path(__file__).with_name("cleaned").touch()
"""


def pytest_alone(*arguments: str) -> list[str]:
    """The command that runs pytest in one process, with the project's configuration."""
    configured = [f"--rootdir={ROOT}", f"--config-file={ROOT}/pyproject.toml", "-p", "no:xdist"]
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *configured, *arguments]


def test_a_process_that_a_test_starts_hears_ctrl_c() -> None:
    child = subprocess.run([sys.executable, "-c", HEARS], capture_output=True, check=True)
    assert child.stdout == b"True\n"


def test_it_does_so_where_the_tests_run_in_the_background() -> None:
    """A shell without job control starts its background jobs with SIGINT ignored."""
    test = f"{__file__}::test_a_process_that_a_test_starts_hears_ctrl_c"
    in_the_background = ["sh", "-c", '"$@" & wait $!', "sh", *pytest_alone(test)]
    done = subprocess.run(in_the_background, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_test_that_hangs_fails_names_where_and_cleans_up(tmp_path: Path) -> None:
    path = tmp_path / "test_hangs.py"
    path.write_text(HANGS)
    done = subprocess.run(
        pytest_alone("--timeout=1", str(path)), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout
    assert "def wait_for_ever" in done.stdout
    assert "Timeout" in done.stdout
    assert (tmp_path / "cleaned").exists()


def test_every_test_has_a_time_limit(pytestconfig) -> None:
    assert 0 < float(pytestconfig.getini("timeout")) <= 600


def test_no_property_fails_for_time() -> None:
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check


@pytest.mark.parametrize(
    ("go", "ci", "outcome"),
    [
        (None, "true", pytest.skip.Exception),
        ("/usr/bin/go", "", pytest.skip.Exception),
        ("/usr/bin/go", "true", pytest.fail.Exception),
    ],
)
def test_in_ci_with_go_no_test_is_skipped_for_want_of_prism(
    go: str | None, ci: str, outcome: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go_programs, "BIN", tmp_path)
    monkeypatch.setattr(go_programs.shutil, "which", {"go": go}.get)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="Prism is not built"):
        go_programs.prism()
    (tmp_path / "prism").touch()
    assert go_programs.prism() == str(tmp_path / "prism")
