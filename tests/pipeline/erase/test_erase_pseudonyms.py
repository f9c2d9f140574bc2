"""Persons whose rows have pseudonyms are deleted by their ids, under every key."""

import json

from pipeline.erase import __main__ as erase
from tests.support.archives import read_archive, write_archive
from tests.support.commands import run
from tests.support.events import event
from tests.support.pseudonyms import KEYS, OPTIONS, VARIABLES


def sent(name, student):
    """A fact, a dead letter with its student, and one whose student is in the payload alone."""
    return [
        event(f"fact-{name}", student_id=student),
        event(f"lost-{name}", student_id=student, event_type="store_error"),
        event(f"wrong-{name}", student_id=student, attempt_no=0),
    ]


def test_rows_under_every_key_go_and_so_do_originals(
    applied, jsonl, rows_of, tmp_path, monkeypatch, capsys
):
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, KEYS[name])
    for name, keys in (("plain", []), ("one", OPTIONS[:1]), ("both", OPTIONS)):
        events = sent(name, "anna") + sent(f"{name}-other", "bob")
        done = run(f"--input={jsonl(*events)}", f"--dataset={applied.dataset}", *keys)
        assert done.returncode == 0, done.stderr
    archive = tmp_path / "a.avro"
    write_archive(archive, [json.dumps(each).encode() for each in (sent("x", "anna"))])
    (tmp_path / "ids").write_text("anna\n")
    options = [f"--dataset={applied.dataset}", f"--persons={tmp_path}/ids", *OPTIONS]
    assert erase.main([*options, f"--archive={archive}"]) == 0
    out, error = capsys.readouterr()
    assert error == ""
    assert "events_fact: 3 rows deleted" in out
    assert "dead_letters: 6 rows deleted" in out
    assert not archive.exists() or read_archive(archive)[0] == []
    left = rows_of(
        "SELECT event_id FROM {dataset}.events_fact "
        "UNION ALL SELECT event_id FROM {dataset}.dead_letters"
    )
    assert {row["event_id"].rpartition("-")[2] for row in left} == {"other"}
    assert len(left) == 9


def test_a_key_that_cannot_be_read_deletes_nothing(tmp_path, capsys):
    (tmp_path / "ids").write_text("anna\n")
    options = ["--dataset=local-exams.none", f"--persons={tmp_path}/ids"]
    assert erase.main([*options, "--pseudonym_key=k1=env:NO_SUCH"]) == 1
    line = "error: env:NO_SUCH: the environment variable NO_SUCH is not set\n"
    assert capsys.readouterr() == ("", line)
