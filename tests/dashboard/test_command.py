"""``python -m dashboard serve`` as a process."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from dashboard.__main__ import main

ROOT = Path(__file__).parents[2]


def test_it_says_its_address_answers_there_and_ends_with_ctrl_c(applied):
    command = [sys.executable, "-m", "dashboard", "serve", f"--dataset={applied.dataset}"]
    process = subprocess.Popen(
        [*command, "--port=0"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = re.match(r"(http://127.0.0.1:\d+/) until Ctrl-C\n", process.stdout.readline())[1]
        assert requests.get(f"{url}healthz", timeout=60).text == "ok"
        assert "No data yet" in requests.get(f"{url}exam/totals?test_id=secret", timeout=60).text
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
        assert process.returncode == 0
        assert (said, errors) == ("", "")
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve"], "the following arguments are required: --dataset"),
        (["serve", "--dataset=x"], "--dataset: the dataset must be PROJECT.DATASET"),
        (["serve", "--dataset=local-exams.x", "--port=70000"], "--port: must be a whole number"),
        (["serve", "--dataset=local-exams.x", "--max_bytes=1"], "--max_bytes: must be a whole"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {said}")
    assert error.count("\n") == 1


def test_a_port_in_use_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--dataset=local-exams.x", f"--port={port}"]) == 1
    expected = f"error: 127.0.0.1:{port}: Address already in use; choose another with --port\n"
    assert capsys.readouterr().err == expected
