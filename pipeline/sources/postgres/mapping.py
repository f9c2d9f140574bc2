"""Which tables and columns of the operational database are read, and under which of our names."""

import dataclasses
import tomllib
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DIMENSIONS = {
    "students": "student",
    "teachers": "teacher",
    "tests": "test",
    "questions": "question",
}
"""Tables of what events happen to, and the dimension that their rows are versions of."""


@dataclasses.dataclass(frozen=True)
class SourceTable:
    """One of the documented tables, as the operational database has it.

    Attributes:
        name: in the database, with its schema where it is not on the search path.
        key: columns of the primary key.
        columns: our name of a column to the database's.
        optional: our names of columns that are read where the database has them.
        private: our names of columns that identify a person.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class SourceMapping:
    """The tables that are taken, by their documented names.

    Attributes:
        time_zone: of timestamps without one; None where the database must not have any.
    """

    tables: Mapping[str, SourceTable]
    time_zone: str | None = None


def _table(name: str, key: str, columns: str, optional: str = "", private: str = "") -> SourceTable:
    names = [*columns.split(), *optional.split()]
    return SourceTable(
        name,
        tuple(key.split()),
        {column: column for column in names},
        frozenset(optional.split()),
        frozenset(private.split()),
    )


_ANSWER = "student_id question_id test_id session_id submitted_option timestamp"
DEFAULT_TABLES: Mapping[str, SourceTable] = {
    "answers": _table("answers", "answer_id", _ANSWER),
    "submissions": _table(
        "submissions",
        "student_id test_id",
        "student_id test_id submit_time completion_status",
    ),
    "sessions": _table("sessions", "session_id", "expiry_time", "student_id test_id start_time"),
    "students": _table(
        "students", "student_id", "", "school_id grade teacher_id name email", "name email"
    ),
    "teachers": _table("teachers", "teacher_id", "", "school_id name email", "name email"),
    "tests": _table("tests", "test_id", "", "title subject teacher_id duration_seconds"),
    "questions": _table("questions", "question_id", "correct_option", "test_id topic skill_id"),
}
# Single columns, since other tables refer to them, or a dimension's key is one value.
_SINGLE_KEY = frozenset(DEFAULT_TABLES) - {"submissions"}
_OPTIONS = frozenset({"take", "table", "key", "columns", "private"})


def default_mapping(time_zone: str | None = None) -> SourceMapping:
    """The documented tables under their own names."""
    return SourceMapping(DEFAULT_TABLES, time_zone)


def read_mapping(path: str, time_zone: str | None = None) -> SourceMapping:
    """A mapping from a TOML file; what the file does not name stays as documented.

    Each table of the file is one of the documented tables, with these keys: ``take = false`` leaves
    it out; ``table`` is its name in the database, ``key`` the columns of its primary key;
    ``columns`` renames columns (our name to the database's), and for students, teachers, tests and
    questions lists those that are taken; ``private`` names those that identify a person.

    Raises:
        ValueError: the file cannot be read, or says what makes no sense; in one line.
    """
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        tables = {name: _changed(name, given.pop(name, {})) for name in DEFAULT_TABLES}
        if given:
            raise ValueError(f"no table {next(iter(given))!r}: there are {_list(DEFAULT_TABLES)}")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    taken = {name: table for name, table in tables.items() if table is not None}
    for name, needed in (("answers", "sessions"), ("answers", "questions")):
        if name in taken and needed not in taken:
            raise ValueError(f"{path}: {name} cannot be taken without {needed}")
    if "submissions" in taken and "answers" not in taken:
        raise ValueError(f"{path}: submissions cannot be taken without answers")
    return SourceMapping(taken, time_zone)


def _changed(name: str, given: Any) -> SourceTable | None:
    if not isinstance(given, dict):
        raise ValueError(f"{name} must be a table")
    if unknown := given.keys() - _OPTIONS:
        raise ValueError(f"{name}: no key {min(unknown)!r}: there are {_list(_OPTIONS)}")
    if not given.get("take", True):
        return None
    table = DEFAULT_TABLES[name]
    key = tuple(_texts(name, "key", given.get("key", list(table.key))))
    if not key or (name in _SINGLE_KEY and len(key) > 1):
        raise ValueError(f"{name}: key must be a list of one column")
    columns, optional, private = dict(table.columns), table.optional, table.private
    if "columns" in given:
        named = given["columns"]
        if not isinstance(named, dict) or not all(isinstance(c, str) for c in named.values()):
            raise ValueError(f"{name}: columns must be a table of texts")
        if name in DIMENSIONS:
            required = {our: its for our, its in columns.items() if our not in optional}
            columns = required | named
        elif unknown := named.keys() - columns.keys():
            raise ValueError(f"{name}: no column {min(unknown)!r}: there are {_list(columns)}")
        else:
            columns |= named
        optional = (optional & columns.keys()) - named.keys()
        private = private & columns.keys()
    if "private" in given:
        private = frozenset(_texts(name, "private", given["private"]))
        if strangers := private - columns.keys():
            raise ValueError(
                f"{name}: private names {min(strangers)!r}, which columns does not have"
            )
        if name not in DIMENSIONS and private:
            raise ValueError(f"{name}: private is for {_list(DIMENSIONS)}")
    database_name = given.get("table", table.name)
    if not isinstance(database_name, str) or not database_name:
        raise ValueError(f"{name}: table must be a text")
    return SourceTable(database_name, key, columns, optional, private)


def _texts(name: str, option: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{name}: {option} must be a list of texts")
    return value


def _list(names: Any) -> str:
    return ", ".join(sorted(names))


def time_zone(text: str) -> str:
    """Returns the name of a time zone; raises ValueError if it is none."""
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Europe/Berlin or UTC") from None
    return text
