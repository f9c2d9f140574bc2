import argparse

import pytest

from gcp.environments import environment_name, read_environment


@pytest.fixture
def folder(tmp_path):
    (tmp_path / ".env").write_text("A=plain\nB=plain\nSECRET='pa$${X}ss #1'\nEMPTY=\n")
    (tmp_path / ".env.prod").write_text("A=prod\n")
    return tmp_path


def test_an_environment_has_a_file_of_its_own_or_the_plain_one(folder):
    assert read_environment(None, folder).get("A") == "plain"
    assert read_environment("prod", folder).get("A") == "prod"
    assert read_environment("prod", folder).get("B") is None
    assert read_environment("dev", folder).get("A") == "plain"
    assert read_environment("dev", folder).file == folder / ".env"


def test_real_variables_win(folder, monkeypatch):
    monkeypatch.setenv("A", "real")
    assert read_environment("prod", folder).get("A") == "real"


def test_without_a_file_there_are_the_real_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("A", "real")
    settings = read_environment("prod", tmp_path)
    assert (settings.file, settings.get("A"), settings.get("EMPTY")) == (None, "real", None)
    assert settings.how_to_set("B") == "B is not set: set it, or write it to a file .env"


def test_values_are_as_written_and_are_not_shown(folder):
    settings = read_environment(None, folder)
    assert settings.get("SECRET") == "pa$${X}ss #1"
    assert settings.get("EMPTY") is None
    assert "pa$$" not in repr(settings)
    assert settings.how_to_set("C") == f"C is not set: set it, or write it to {folder / '.env'}"


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(OSError, match="it is not UTF-8 text"):
        read_environment(None, tmp_path)


@pytest.mark.parametrize("name", ["", "../prod", "a b", "x" * 65, "prod\n"])
def test_a_name_is_no_path(name):
    with pytest.raises(argparse.ArgumentTypeError, match="letters, digits"):
        environment_name(name)
    assert environment_name("prod-eu_1") == "prod-eu_1"
