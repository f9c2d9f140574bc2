import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from gcp import console

WORDS = (
    "published 2,500 = 2,295 facts + 73 duplicates + 132 dead letters + 0 unaccounted for, and "
    "the report is in"
)
LONG_WORD = "/a/folder/with/a/name/that/is/longer/than/a/whole/line/of/eighty/characters/in/all"
COLUMNS = (
    *("test_id", "student_id", "session_start_time", "duration_seconds", "is_complete"),
    *("total_answers_submitted", "correct_answers", "total_store_errors", "late_submissions"),
)
ROW = ("algebra-midterm", "student-0042", "2026-03-02 08:00:00", 3_599.5, True, 24, 18, 1, 0)


@pytest.fixture
def printed(monkeypatch):
    """Gives what was printed on a console of 80 columns."""
    output = io.StringIO()
    monkeypatch.setattr(
        console, "console", Console(file=output, width=80, highlight=False, soft_wrap=True)
    )
    return output.getvalue


@pytest.mark.parametrize("is_first_unique", [True, False])
def test_a_wide_table_fits_the_console_and_breaks_no_word(is_first_unique, printed):
    rows = [(f"test-{number if is_first_unique else 0}", *ROW[1:]) for number in range(5)]
    console.print_table("First rows of session_summary", COLUMNS, rows)
    lines = printed().splitlines()
    assert max(map(len, lines)) <= 80
    for text in (*"_".join(COLUMNS).split("_"), "2026-03-02 08:00:00", "3,599.50", "student-0042"):
        assert any(text in line for line in lines), text
    # A part of the columns without a column that identifies its rows could not be read.
    names = [f"test-{n}" for n in range(5)] if is_first_unique else ["1", "2", "3", "4", "5"]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    tables = sum("┏" in line for line in lines)
    assert tables > 1
    for name in names:
        assert [row[0] for row in cells].count(name) == tables


def test_a_small_table_stays_whole(printed):
    console.print_table("Reconciliation", ("outcome", "sent"), [("fact", 2_295)])
    lines = printed().splitlines()
    assert sum("┏" in line for line in lines) == 1
    assert any("fact" in line and "2,295" in line for line in lines)


def test_a_table_without_rows_is_a_table(printed):
    console.print_table("First rows", COLUMNS, [])
    assert max(map(len, printed().splitlines())) <= 80


def test_a_cell_that_no_line_holds_is_cut_visibly(printed):
    console.print_table("First rows", ("question_id", "wrong"), [("q" * 300, 1)])
    assert max(map(len, printed().splitlines())) <= 80
    assert "qqq…" in printed()


def test_text_is_broken_between_words(printed):
    console.say(f"{WORDS} {LONG_WORD} now")
    *lines, path, rest = printed().splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines) == WORDS
    assert (path.strip(), rest) == (LONG_WORD, "now")


@pytest.mark.parametrize(
    ("columns", "width"), [(None, 80), ("60", 60), ("wide", 80), ("0", 80), ("", 80)]
)
def test_a_console_that_is_no_terminal_has_80_columns_or_those_of_the_environment(columns, width):
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    if columns is not None:
        environment["COLUMNS"] = columns
    script = "from gcp.console import console; print(console.width)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.stdout == f"{width}\n", done.stderr
