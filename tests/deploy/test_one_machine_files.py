"""The unit file and the container file, as far as they can be looked at without installing them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.capture.__main__ import _parse as parse_capture
from pipeline.options import parse
from tests.deploy.conftest import PACKAGES
from tests.support.commands import STREAM

ROOT = Path(__file__).parents[2]
FILES = ROOT / "deploy" / "one-machine"
UNIT = (FILES / "exam-events.service").read_text()
CAPTURE = (FILES / "exam-events-capture.service").read_text()
DOCKERFILE = (FILES / "Dockerfile").read_text()


def test_both_start_the_mode():
    command = re.search(r"ExecStart=\S+ -m pipeline.main (.*) \$OPTIONS", UNIT).group(1).split()
    entry_point = re.findall(r'"(.*?)"', DOCKERFILE.partition("ENTRYPOINT")[2])
    assert entry_point == ["python", "-m", "pipeline.main", *command]
    config, _ = parse([*command, *STREAM])
    assert config.micro_batch.metrics_port == 9109
    assert "EXPOSE 9109" in DOCKERFILE


def test_the_image_has_every_package():
    listed = re.search(r"for package in \((.*?)\)", (ROOT / "setup.py").read_text(), re.DOTALL)[1]
    packages = set(re.findall(r'"(.*?)"', listed))
    assert packages == set(PACKAGES)
    assert packages == set(re.findall(r"^COPY (\w+) \w+$", DOCKERFILE, re.MULTILINE))


def test_the_unit_of_the_capture_starts_it():
    command = re.search(r"ExecStart=\S+ -m pipeline.capture (.*) \$OPTIONS", CAPTURE).group(1)
    args = parse_capture([*command.split(), "--topic=projects/local-exams/topics/events"])
    assert args.metrics_port == 9110
    assert "-m pipeline.capture --metrics_port=9109 --topic=" in DOCKERFILE


@pytest.mark.parametrize("name", ["exam-events", "exam-events-capture"])
def test_systemd_takes_the_unit(tmp_path, name):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / f"{name}.service"
    written = (FILES / unit.name).read_text()
    unit.write_text(written.replace("/opt/exam-events/bin/python", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "exam-events" in line]
    assert said == []
