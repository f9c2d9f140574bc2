"""The one entry point, as it is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from local_runner.cli import _COMMANDS, main

PROGRAM = Path(sys.executable).with_name("exam-events")
NAMES = [name for name, *_ in _COMMANDS]


def exam_events(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_lists_every_command_in_a_line(arguments):
    done = exam_events(*arguments)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    for name in NAMES:
        assert sum(line.startswith(f"  {name}  ") for line in lines) == 1, name
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", NAMES)
def test_every_command_answers_by_its_name(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), *name.split(), "--help"])
    try:
        code = main()
    except SystemExit as ended:
        code = ended.code
    assert code == 0
    assert capsys.readouterr().out.startswith(f"usage: exam-events {name} [-h]")


@pytest.mark.parametrize("name", ["fly", "ddl", "ddl drop"])
def test_an_unknown_command_is_one_line(name):
    done = exam_events(*name.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: there is no command {name}: see exam-events --help\n"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("run", ["--input=a.jsonl", "--dataset=x"]),
        ("capture", ["--topic=x"]),
        ("reconcile", ["--dataset=x"]),
        ("replay", ["--topic=x", "--dataset=local-exams.x"]),
        ("erase", ["--dataset=x", "--students=-"]),
        ("ddl apply", ["--dataset=x"]),
        ("ddl check", ["--dataset=x"]),
        ("demo", ["--messages=x"]),
        ("simulate", ["--topic=x"]),
    ],
)
def test_every_command_rejects_wrong_arguments_alike(name, wrong):
    done = exam_events(*name.split(), *wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --")
    assert len(done.stderr.splitlines()) == 1


def test_a_package_that_is_not_installed_is_one_line(monkeypatch, capsys):
    def missing(module):
        raise ModuleNotFoundError("No module named 'jinja2'", name="jinja2")

    monkeypatch.setattr("importlib.import_module", missing)
    monkeypatch.setattr(sys, "argv", ["exam-events", "demo"])
    assert main() == 1
    assert capsys.readouterr().err == (
        "error: exam-events demo needs the package jinja2: install the extra local\n"
    )
