"""The rows of the table ``lateness_settings``, as a person writes them: a CSV file."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

from schemas.contract import MAX_ID_LENGTH
from schemas.lateness import MAX_DURATION_SECONDS, SettingsRow

COLUMNS = ("test_id", "duration_seconds", "grace_seconds")


class SettingsFileError(ValueError):
    """The file cannot be used; one line that says where and why."""


def read(path: Path) -> list[SettingsRow]:
    """The rows of a settings file: an empty test_id applies to every test, an empty number is null.

    Raises:
        SettingsFileError: the file cannot be read, or breaks a rule.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsFileError(f"{path}: {reason}") from None
    lines = csv.DictReader(io.StringIO(text), restval="", strict=True)
    try:
        return _rows(lines)
    except (csv.Error, ValueError) as error:
        raise SettingsFileError(f"{path}, line {max(lines.reader.line_num, 1)}: {error}") from None


def _rows(lines: "csv.DictReader[str]") -> list[SettingsRow]:
    if sorted(lines.fieldnames or ()) != sorted(COLUMNS):
        raise ValueError(f"the first line must name the columns {','.join(COLUMNS)}")
    rows: dict[str, SettingsRow] = {}
    for line in lines:
        test_id = line["test_id"]
        if test_id in rows:
            raise ValueError(f"a second row for {'this test' if test_id else 'every test'}")
        rows[test_id] = _row(line)
    if not rows:
        raise ValueError("there are no rows")
    return list(rows.values())


def _row(line: Mapping[str | None, str]) -> SettingsRow:
    if None in line:
        raise ValueError(f"more than {len(COLUMNS)} values")
    test_id = line["test_id"]
    if len(test_id) > MAX_ID_LENGTH:
        raise ValueError(f"test_id must be at most {MAX_ID_LENGTH} characters")
    return SettingsRow(
        duration_seconds=_seconds(line, "duration_seconds", least=1),
        grace_seconds=_seconds(line, "grace_seconds", least=0),
        test_id=test_id or None,
    )


def _seconds(line: Mapping[str | None, str], column: str, least: int) -> int | None:
    text = line[column]
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,6}", text) or not least <= int(text) <= MAX_DURATION_SECONDS:
        raise ValueError(
            f"{column} must be an integer from {least} to {MAX_DURATION_SECONDS:,}, or nothing"
        )
    return int(text)
