"""``python -m pipeline.pseudonym``: looks pseudonyms up."""

import subprocess
import sys

import pytest

from tests.support.pseudonyms import KEYS, OPTIONS, VARIABLES, expected


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, KEYS[name])


def look_up(*options, given=b"s1\n"):
    command = [sys.executable, "-m", "pipeline.pseudonym", *options]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_ids_come_by_standard_input_and_leave_as_pseudonyms():
    given = "﻿s2\r\n\nmüller/7\ns1".encode()
    ids = ["s2", "müller/7", "s1"]
    lines = "".join(f"{expected(id_, 'k1')}\n" for id_ in ids)
    assert look_up(OPTIONS[0], given=given) == (0, lines, "")
    both = "".join(f"{expected(i, 'k1')}\t{expected(i, 'k1', 'k2')}\n" for i in ids)
    assert look_up(*OPTIONS, given=given) == (0, both, "")


@pytest.mark.parametrize(
    ("options", "given", "code", "line"),
    [
        ([], b"s1", 2, "--pseudonym_key NAME=SECRET is required"),
        (OPTIONS[:1], b"\n \n", 2, "standard input has no ids: one per line"),
        (OPTIONS[:1], b"\xff", 2, "standard input is not UTF-8 text"),
        (["s1", *OPTIONS], b"", 2, "unrecognized arguments: s1"),
        (
            ["--pseudonym_key=k1=env:NO_SUCH"],
            b"s1",
            1,
            "env:NO_SUCH: the environment variable NO_SUCH is not set",
        ),
        (["rotate", "--dataset=local-exams.x"], b"", 2, "--pseudonym_key NAME=SECRET is required"),
        (
            ["rotate", "--dataset=local-exams.x", OPTIONS[0], "--replaces=k1"],
            b"",
            2,
            "--replaces: k1 is the last key of --pseudonym_key",
        ),
    ],
)
def test_what_is_wrong_is_one_line(options, given, code, line):
    assert look_up(*options, given=given) == (code, "", f"error: {line}\n")
