"""Exam logs for the tests: a generated one with the oddities of the real one, and the real one.

Each line is milliseconds since the student opened the exam, student, question and score. The lines
of a student follow one another, by the clock but for a few that are out of order.
"""

import dataclasses
import random
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Not ours to hand on: it lies beside the project, or above it, on the machines that have it.
REAL = next(
    (path for folder in ROOT.parents if (path := folder / "shared/data/midterm-time.tsv").exists()),
    None,
)
SEED = 20_260_302
STUDENTS = 110
QUESTIONS = 7
_MINUTE = 60_000
_LIMIT = 180 * _MINUTE
_SCORES = ("1", "1", "1", "0", "0", "0.5", "0.75", "0.666666667", "0.333333333")


@dataclasses.dataclass(frozen=True)
class ExamLogFile:
    """A log and what is known of it beforehand.

    Attributes:
        path: the file.
        lines: all of them parse.
        students: how many there are.
        negative: lines whose clock is before the exam.
        copies: lines that are exact copies of another.
    """

    path: Path
    lines: int
    students: int
    negative: int
    copies: int


def real() -> ExamLogFile:
    """The real log; only where REAL is not None."""
    assert REAL is not None
    return ExamLogFile(REAL, lines=109_444, students=1_609, negative=871, copies=2)


def generated(folder: Path, seed: int = SEED, students: int = STUDENTS) -> ExamLogFile:
    """Writes a log of about 64 lines a student; the same seed gives the same lines."""
    chance = random.Random(seed)
    lines = [line for number in range(students) for line in _student(chance, number)]
    for index in sorted(chance.sample(range(len(lines)), 2), reverse=True):
        lines.insert(index, lines[index])
    path = folder / "generated-exam.tsv"
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
    negative = sum(line[0].startswith("-") for line in lines)
    copies = len(lines) - len(set(lines))
    return ExamLogFile(path, len(lines), students, negative, copies)


def _student(chance: random.Random, number: int) -> Iterator[tuple[str, str, str, str]]:
    """The lines of one student, about ten attempts a question.

    Every 25th has a clock that ran before the exam and was then set right, every 40th sent some
    lines out of order, every sixth went on until long after the limit; one of these sent a line at
    the very limit, and one a millisecond later.
    """
    student = str(10 + 357 * number)
    questions = [f"q{14 + index}_{chance.randrange(20)}" for index in range(QUESTIONS)]
    asked = [question for question in questions for _ in range(_attempts(chance))]
    asked = sorted(asked, key=lambda question: questions.index(question) + 2 * chance.random())
    end = 350 * _MINUTE if number % 6 == 3 else _LIMIT
    clocks = sorted(chance.randint(_MINUTE, end) for _ in asked)
    if number % 25 == 1:
        wrong = len(clocks) // 2
        clocks[:wrong] = [clock - 273 * _MINUTE for clock in clocks[:wrong]]
        clocks.sort()
    if number == 3:
        clocks = sorted([*clocks[:-2], _LIMIT, _LIMIT + 1])
    if number % 40 == 2:
        clocks[3], clocks[-3] = clocks[-3], clocks[3]
    if number % 5 == 4:
        clocks[1] = clocks[2]  # two lines of one moment
    for clock, question in zip(clocks, asked, strict=True):
        yield str(clock), student, question, chance.choice(_SCORES)


def _attempts(chance: random.Random) -> int:
    """From 1 to 60, ten on average: most questions take few, some very many."""
    return min(1 + int(chance.expovariate(1 / 9.2)), 60)
