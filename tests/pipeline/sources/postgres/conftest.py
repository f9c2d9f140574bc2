import psycopg
import pytest

from local_runner.postgres.school import create_tables
from tests.pipeline.sources.postgres.pulling import Puller

PEOPLE = """
INSERT INTO teachers VALUES ('t1', 'Tess', 't@example.com', 'school-1');
INSERT INTO students VALUES ('s1', 'Sam', 's@example.com', 'school-1', 7, 't1');
INSERT INTO tests VALUES ('test-1', 'Algebra', 'algebra', 't1', 2700);
INSERT INTO questions VALUES ('q1', 'test-1', 'B', 'algebra', NULL);
INSERT INTO sessions VALUES
  ('session-1', 's1', 'test-1', '2026-03-02 10:00:00+00', '2026-03-02 10:45:00+00');
"""
ANSWER = (
    "INSERT INTO answers (answer_id, student_id, question_id, test_id, session_id, "
    "submitted_option, \"timestamp\") VALUES (%s, 's1', 'q1', 'test-1', 'session-1', %s, %s)"
)


class School:
    """The documented tables with one student, who answers when a test says so."""

    def __init__(self, url):
        self.url = url
        self._open = []

    def connect(self, **options):
        """A connection that is closed after the test."""
        self._open.append(psycopg.connect(self.url, **options))
        return self._open[-1]

    def execute(self, sql):
        """Runs statements, each in a transaction of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)

    def answer(self, number, option="B", at="2026-03-02 10:05:00+00", connection=None):
        """An answer, in a transaction of its own unless there is a connection."""
        if connection is not None:
            connection.execute(ANSWER, (number, option, at))
            return
        with psycopg.connect(self.url) as own:
            own.execute(ANSWER, (number, option, at))

    def close(self):
        for connection in self._open:
            connection.close()


@pytest.fixture
def school(postgres):
    create_tables(postgres)
    school = School(postgres)
    school.execute(PEOPLE)
    yield school
    school.close()


@pytest.fixture
def puller(school):
    puller = Puller()
    yield puller
    puller.engine.dispose()
