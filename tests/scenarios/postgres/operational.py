"""An exam log as the operational tables of an app have it."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import psycopg

from local_runner.traffic.exam_log import LogLine

DURATION = dt.timedelta(minutes=180)
# The app compares options, and the log has scores: the full score is the right option.
RIGHT = "1.0"


def write_by_the_clock(log: Path, path: Path) -> None:
    """Writes the lines of a log by student and time, as the only order that a table has.

    An attempt is counted by it then. Of a student's answers to a question at one moment, the first
    stays unless they are alike: which came first, no table says.
    """
    kept: dict[tuple[str, str, str], tuple[str, ...]] = {}
    lines = []
    for text in log.read_text().splitlines():
        elapsed, student, question, _ = line = tuple(text.split("\t"))
        if kept.setdefault((elapsed, student, question), line) == line:
            lines.append(line)
    lines.sort(key=lambda line: (line[1], float(line[0])))
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def load(url: str, exam: str, start: dt.datetime, lines: Iterable[LogLine]) -> int:
    """Fills the tables with an exam; returns the number of its sessions."""
    lines = list(lines)
    last = {line.student: line for line in lines}  # they are by the clock
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO tests VALUES (%s, %s)", (exam, exam))
        cursor.executemany(
            "INSERT INTO questions (question_id, test_id, correct_option) VALUES (%s, %s, %s)",
            [(question, exam, RIGHT) for question in sorted({line.question for line in lines})],
        )
        cursor.executemany(
            "INSERT INTO students (student_id, name, email, school_id) VALUES (%s, '', '', '')",
            [(student,) for student in last],
        )
        cursor.executemany(
            "INSERT INTO sessions VALUES (%s, %s, %s, %s, %s)",
            [(f"{exam}-{name}", name, exam, start, start + DURATION) for name in last],
        )
        with cursor.copy("COPY answers FROM STDIN") as copy:
            for number, line in enumerate(lines):
                session, at = f"{exam}-{line.student}", start + line.elapsed
                score = str(line.score)
                copy.write_row((number, line.student, line.question, exam, session, score, at))
        with cursor.copy("COPY submissions FROM STDIN") as copy:
            for line in last.values():
                copy.write_row((line.student, exam, start + line.elapsed, "completed"))
    return len(last)
