"""A pull with a key of pseudonyms."""

from tests.support.commands import run
from tests.support.pseudonyms import KEYS, OPTIONS, VARIABLES, expected

PERSONS = """
    SELECT student_id AS id FROM {dataset}.events WHERE event_type LIKE 'answer%'
    UNION ALL SELECT student_id FROM {dataset}.students_dim WHERE is_current
    UNION ALL SELECT teacher_id FROM {dataset}.students_dim WHERE is_current
"""
GONE = "SELECT key FROM {dataset}.dimension_changes WHERE op = 'delete'"


def test_rows_have_pseudonyms_and_deleted_students_are_noticed(
    school, applied, rows_of, monkeypatch
):
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, KEYS[name])

    def pull(*keys):
        done = run("--input_postgres", f"--dataset={applied.dataset}", *keys)
        assert done.returncode == 0, done.stderr

    school.execute("INSERT INTO students VALUES ('s2', 'Sue', 'u@example.com', 'school-1', 8)")
    school.answer(1)
    pull(OPTIONS[0])
    ids = sorted(row["id"] or "" for row in rows_of(PERSONS))
    one, two, teacher = (expected(who, "k1") for who in ("s1", "s2", "t1"))
    assert ids == sorted(["", one, one, two, teacher])
    school.execute("DELETE FROM students WHERE student_id = 's2'")
    pull(OPTIONS[0])
    assert rows_of(GONE) == [{"key": two}]
    pull(*OPTIONS)  # a rotation makes nobody disappear
    assert rows_of(GONE) == [{"key": two}]
