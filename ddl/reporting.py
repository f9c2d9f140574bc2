"""The output of the commands."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ddl.actions import Action
from ddl.check import MOST_ROWS, Check


def changes(actions: Sequence[Action], *, dry_run: bool) -> str:
    """The last line of ``apply``."""
    if not actions:
        return "nothing to change"
    created = sum(action.creates for action in actions)
    changed = len(actions) - created
    if dry_run:
        return f"{created} to create, {changed} to change"
    return f"{created} created, {changed} changed"


def verdict(check: Check, found: Mapping[str, int]) -> str:
    """ok, warn or fail."""
    return check.severity if found else "ok"


def findings(check: Check, found: Mapping[str, int]) -> list[str]:
    """A check in a line, and its findings in lines below it."""
    total = sum(found.values())
    return [
        f"{verdict(check, found):<6}{check.name:<30}{total:>9,}  {check.rule}",
        *(f"{'':<6}  {_text(name):<32}{number:>9,}" for name, number in sorted(found.items())),
    ]


def outcome(verdicts: Sequence[str]) -> str:
    """The last line of ``check``."""
    counts = Counter(verdicts)
    return f"done: {', '.join(f'{counts[name]} {name}' for name in ('ok', 'warn', 'fail'))}"


def rows_behind(rows: Sequence[Sequence[Any]], sql: str, total: int) -> list[str]:
    """The query, and its rows as a table; the first of ``rows`` has the column names."""
    texts = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    table = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    ]
    lines = ["", *sql.splitlines(), ""]
    if total:
        lines += [*table, ""]
    if total > MOST_ROWS:
        lines += [f"the first {MOST_ROWS} of {total:,} rows", ""]
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    # An id is any text: it must not break the line or control the terminal.
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value)
    )
