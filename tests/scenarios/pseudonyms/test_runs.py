"""A run with a key: no id of a person is stored or shown, and what belongs together joins."""

import json

import pytest

from tests.scenarios.pseudonyms.people import FAMILIES as NAMES
from tests.scenarios.pseudonyms.people import ID, encoded, messages, person, traces
from tests.support.commands import run
from tests.support.pseudonyms import KEYS, OPTIONS, VARIABLES, expected

PERSONS = """
    SELECT DISTINCT student_id AS id FROM {dataset}.events
    UNION ALL SELECT DISTINCT student_id FROM {dataset}.dead_letters
        WHERE student_id IS NOT NULL
    UNION ALL SELECT student_id FROM {dataset}.students_dim
    UNION ALL SELECT customer_id FROM {dataset}.orders
    UNION ALL SELECT user_id FROM {dataset}.user_activity
"""


@pytest.fixture
def shop(applied_families, monkeypatch):
    """A dataset with the tables of all families, and the keys in the environment."""
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, KEYS[name])
    return applied_families


@pytest.fixture
def rows_of(shop):
    """Runs SQL with ``{dataset}`` filled in."""

    def run_query(sql):
        found = shop.client.query(sql.format(dataset=f"`{shop.dataset}`")).result()
        return [dict(row.items()) for row in found]

    return run_query


@pytest.fixture
def pipeline(shop, tmp_path):
    """Runs messages through the pipeline; returns what it prints."""

    def with_messages(*payloads, options=OPTIONS[:1], families=NAMES):
        file = tmp_path / "messages.jsonl"
        file.write_bytes(encoded(*payloads))
        done = run(
            f"--input={file}", f"--dataset={shop.dataset}", f"--event_family={families}", *options
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return with_messages


def test_no_id_of_a_person_is_stored_or_shown_and_all_families_join(pipeline, shop, rows_of):
    sent = messages(1) + messages(2)
    said = pipeline(*sent)
    assert f"received: {len(sent)}" in said
    assert "personal data is stored as sent" not in said
    # A dead letter keeps the original: sent again, it has the same pseudonym.
    [letter] = rows_of("SELECT payload FROM {dataset}.dead_letters WHERE event_id = 'wrong-1'")
    again = json.loads(letter["payload"])
    assert again["student_id"] == person(1)
    said += pipeline(again | {"attempt_no": 2})
    assert ID not in said
    assert KEYS["k1"] not in said
    assert traces(shop) == []
    both = [expected(person(number), "k1") for number in (1, 2)]
    assert sorted(row["id"] for row in rows_of(PERSONS)) == sorted(both * 5)
    [teacher] = rows_of("SELECT DISTINCT teacher_id FROM {dataset}.students_dim")
    assert teacher["teacher_id"] == expected(person(99), "k1")
    tests = rows_of("SELECT key FROM {dataset}.dimension_changes WHERE dimension = 'test'")
    assert {row["key"] for row in tests} == {"test-1", "test-2"}


def test_a_key_that_is_missing_or_short_is_one_line_before_the_run(monkeypatch):
    monkeypatch.setenv("SHORT_KEY", "too short")
    for secret, line in (
        ("env:NO_SUCH_KEY", "env:NO_SUCH_KEY: the environment variable NO_SUCH_KEY is not set"),
        ("env:SHORT_KEY", "--pseudonym_key: key k1 has 9 bytes: it needs at least 32"),
    ):
        done = run("--input=a.jsonl", "--dataset=local-exams.a", f"--pseudonym_key=k1={secret}")
        assert (done.returncode, done.stderr) == (1, f"error: {line}\n")
