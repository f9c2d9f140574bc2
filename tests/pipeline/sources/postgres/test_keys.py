"""Rows that are gone, found by the digests of their keys."""

from pipeline.sources.postgres.keys import count_deleted


def test_known_keys_that_the_table_has_no_more_are_counted(school, puller):
    for number in range(5):
        school.answer(number)
    school.execute("INSERT INTO submissions VALUES ('s1', 'test-1', now(), 'completed')")
    pull = puller.begin()
    mapper = puller.mapper()

    def digest(key):
        return int(mapper.k(key), 16)

    def gone(table, *keys):
        known = sorted(map(digest, keys))
        return count_deleted(puller.engine, puller.source, pull, table, known, digest)

    numbers = [(str(number),) for number in range(5)]
    assert gone("answers") == 0
    assert gone("answers", *numbers) == 0
    assert gone("answers", *numbers, ("7",), ("8",)) == 2
    assert gone("submissions", ("s1", "test-1"), ("s1", "test-2"), ("s1test-1",)) == 2
    school.execute("DELETE FROM answers WHERE answer_id IN (0, 4)")
    assert gone("answers", *numbers) == 2
