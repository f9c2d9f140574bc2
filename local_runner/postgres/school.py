"""The tables of a school's app: created, filled, and kept busy."""

import contextlib
import datetime as dt
import random
import threading
from collections.abc import Iterator
from importlib import resources

import psycopg

from local_runner.errors import RunnerError

_MADE_BY_US = "made by local_runner"
_TEACHERS, _STUDENTS, _TESTS, _QUESTIONS = 4, 60, 5, 10
_SUBJECTS = ("algebra", "biology", "chemistry", "history", "physics")
_OPTIONS = "ABCD"
_DURATION = dt.timedelta(minutes=45)
_EXTENSION = dt.timedelta(minutes=15)
# Longer than any sitting takes.
_AGO = dt.timedelta(minutes=70)


def create_tables(url: str) -> bool:
    """Creates the empty tables, unless ``create_tables`` made them before.

    Returns:
        Whether they are new.

    Raises:
        RunnerError: the database has a table ``answers`` that somebody else made.
    """
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT obj_description(to_regclass('answers')) FROM pg_class "
            "WHERE oid = to_regclass('answers')"
        ).fetchone()
        if found is None:
            schema = resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
            connection.execute(schema.encode())
            return True
    if found[0] != _MADE_BY_US:
        raise RunnerError(
            "the database already has a table answers, and this command would write to it: name an "
            "empty database"
        )
    return False


def fill(connection: psycopg.Connection, seed: int, days: int = 5) -> None:
    """Fills the empty tables with a few days of sessions; the same for the same seed and hour."""
    choose = random.Random(seed)  # noqa: S311 - no secret
    for number in range(_TEACHERS):
        row = (f"teacher-{number}", f"Teacher {number}", f"t{number}@example.com", "school-1")
        connection.execute("INSERT INTO teachers VALUES (%s, %s, %s, %s)", row)
    for number in range(_STUDENTS):
        connection.execute(
            "INSERT INTO students VALUES (%s, %s, %s, %s, %s, %s)",
            (
                f"student-{number:03}",
                f"Student {number}",
                f"s{number}@example.com",
                "school-1",
                7 + number % 4,
                f"teacher-{number % _TEACHERS}",
            ),
        )
    for number, subject in enumerate(_SUBJECTS[:_TESTS]):
        test = f"test-{subject}"
        connection.execute(
            "INSERT INTO tests VALUES (%s, %s, %s, %s, %s)",
            (test, subject.title(), subject, f"teacher-{number % _TEACHERS}", _DURATION.seconds),
        )
        for question in range(_QUESTIONS):
            connection.execute(
                "INSERT INTO questions VALUES (%s, %s, %s, %s, %s)",
                (f"{subject}-{question}", test, choose.choice(_OPTIONS), subject, None),
            )
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    sitting = Sitting(choose)
    for student in range(_STUDENTS):
        for subject in choose.sample(_SUBJECTS[:_TESTS], 2):
            began = now - dt.timedelta(hours=choose.randrange(1, 24 * days))
            sitting.whole(connection, f"student-{student:03}", subject, began)


class Sitting:
    """What the app writes while a student sits a test."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose

    def whole(
        self, connection: psycopg.Connection, student: str, subject: str, began: dt.datetime
    ) -> None:
        """A session with its answers, and mostly a submission."""
        session = self.start(connection, student, subject, began)
        answered = began
        for question in range(_QUESTIONS):
            answered += dt.timedelta(seconds=self._choose.randrange(20, 400))
            self.answer(connection, session, student, f"{subject}-{question}", subject, answered)
        if self._choose.random() < 0.8:
            status = self._choose.choice(("completed", "completed", "incomplete"))
            connection.execute(
                "INSERT INTO submissions VALUES (%s, %s, %s, %s) ON CONFLICT (student_id, test_id) "
                "DO UPDATE SET submit_time = excluded.submit_time, "
                "completion_status = excluded.completion_status",
                (student, f"test-{subject}", answered + dt.timedelta(seconds=30), status),
            )

    def start(
        self, connection: psycopg.Connection, student: str, subject: str, began: dt.datetime
    ) -> str:
        """A new session; returns its id."""
        session = f"session-{self._choose.getrandbits(64):016x}"
        connection.execute(
            "INSERT INTO sessions VALUES (%s, %s, %s, %s, %s)",
            (session, student, f"test-{subject}", began, began + _DURATION),
        )
        return session

    def answer(
        self,
        connection: psycopg.Connection,
        session: str,
        student: str,
        question: str,
        subject: str,
        answered: dt.datetime,
    ) -> None:
        """One answer."""
        connection.execute(
            "INSERT INTO answers (student_id, question_id, test_id, session_id, submitted_option, "
            '"timestamp") VALUES (%s, %s, %s, %s, %s, %s)',
            (
                *(student, question, f"test-{subject}", session),
                *(self._choose.choice(_OPTIONS), answered),
            ),
        )


class App:
    """Students who keep answering, in a thread, each step a transaction.

    Attributes:
        steps: how many it has committed.
    """

    def __init__(self, url: str, interval_seconds: float) -> None:
        self._url, self._interval = url, interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error: psycopg.Error | None = None
        self.steps = 0

    @contextlib.contextmanager
    def running(self) -> Iterator["App"]:
        """Runs it until the block is left."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()

    def check(self) -> None:
        """Raises RunnerError if it has died."""
        if self._error is not None:
            raise RunnerError(f"the app that answers has died: {type(self._error).__name__}")

    def _run(self) -> None:
        choose = random.Random()  # noqa: S311 - no secret
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                while not self._stop.wait(self._interval):
                    with connection.transaction():
                        _step(connection, choose)
                    self.steps += 1
        except psycopg.Error as error:
            self._error = error


def _step(connection: psycopg.Connection, choose: random.Random) -> None:
    """Something that happens at a school."""
    sitting, now = Sitting(choose), dt.datetime.now(dt.UTC)
    happens = choose.random()
    if happens < 0.9:
        student = f"student-{choose.randrange(_STUDENTS):03}"
        sitting.whole(connection, student, choose.choice(_SUBJECTS[:_TESTS]), now - _AGO)
    elif happens < 0.95:
        # A teacher grants more time: the row changes in place.
        connection.execute(
            "UPDATE sessions SET expiry_time = expiry_time + %s WHERE session_id = "
            "(SELECT session_id FROM sessions ORDER BY start_time DESC LIMIT 1)",
            (_EXTENSION,),
        )
    else:
        connection.execute(
            "UPDATE students SET grade = grade + 1 WHERE student_id = %s",
            (f"student-{choose.randrange(_STUDENTS):03}",),
        )
