"""Runs the checks: queries that should return no rows.

Each file in ``checks/`` is one SELECT over the event dates from ``@first_date`` to ``@last_date``
that returns a row for each thing that should not be there: ``finding`` (STRING), what is wrong with
it, and the columns that identify it. Its first line has the severity and the rule. A column may be
named between them in parentheses: it counts the things that a row represents, and there is then one
row for each finding.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Literal

from google.cloud import bigquery
from google.cloud.bigquery.table import RowIterator

from ddl import files, statements
from gcp import queries
from gcp.dataset import Dataset

MOST_ROWS = 100

_HEADER = re.compile(r"-- (?P<severity>fail|warn)(?: \((?P<number>\w+)\))?: (?P<rule>.+)\n")
# Seconds. The library's default is ten minutes; here a person waits.

Severity = Literal["fail", "warn"]


@dataclasses.dataclass(frozen=True)
class Check:
    """One check, from one file.

    Attributes:
        severity: ``fail`` if a finding means that numbers are wrong, ``warn`` if it is only worth
            knowing.
        rule: what should be true, in one sentence.
        sql: the query, without a semicolon.
        number: the column that says how many things a row stands for; None where it is one.
    """

    name: str
    severity: Severity
    rule: str
    sql: str
    number: str | None = None

    @property
    def counting(self) -> str:
        """A query for the number of things (``found``) behind each finding."""
        found = f"SUM({self.number})" if self.number else "COUNT(*)"
        return f"SELECT finding, {found} AS found\nFROM (\n{self.sql}\n)\nGROUP BY finding"

    def rows(self, found: Mapping[str, int]) -> int:
        """How many rows the query gives where ``found`` was counted."""
        return len(found) if self.number else sum(found.values())

    @property
    def showing(self) -> str:
        """A query for the first MOST_ROWS rows, in a stable order."""
        return f"SELECT *\nFROM (\n{self.sql}\n)\nORDER BY 1, 2, 3\nLIMIT {MOST_ROWS}"


def checks(dataset: Dataset, families: statements.Families = statements.DEFAULT) -> list[Check]:
    """The checks of these families, and the shared ones: those that can fail first, then by name.

    Raises:
        ValueError: a file does not begin with its severity and rule.
    """
    found = [
        _check(name, statements.render(dataset, "checks", name))
        for name in files.find("checks", families)
    ]
    return sorted(found, key=lambda check: (check.severity != "fail", check.name))


def _check(name: str, sql: str) -> Check:
    header = _HEADER.match(sql)
    if header is None:
        raise ValueError(f"checks/{name}.sql must begin with '-- fail: ' or '-- warn: '")
    severity: Severity = "fail" if header["severity"] == "fail" else "warn"
    return Check(name, severity, header["rule"], sql.rstrip(";\n"), header["number"])


def count(
    client: bigquery.Client, check: Check, first_date: dt.date, last_date: dt.date
) -> Mapping[str, int]:
    """The findings among the events of the dates, and the number of things behind each."""
    rows = _run(client, check.counting, first_date, last_date)
    return {row["finding"]: row["found"] for row in rows}


def show(
    client: bigquery.Client, check: Check, first_date: dt.date, last_date: dt.date
) -> list[tuple[Any, ...]]:
    """The names of the columns, then the first MOST_ROWS rows behind the findings."""
    rows = _run(client, check.showing, first_date, last_date)
    return [tuple(field.name for field in rows.schema), *(row.values() for row in rows)]


def with_dates(check: Check, first_date: dt.date, last_date: dt.date) -> str:
    """The query with its dates filled in, for a console."""
    sql = check.sql.replace("@first_date", f"DATE '{first_date}'")
    return sql.replace("@last_date", f"DATE '{last_date}'") + ";"


def _run(client: bigquery.Client, sql: str, first_date: dt.date, last_date: dt.date) -> RowIterator:
    return queries.rows(client, sql, parameters(first_date, last_date))


def parameters(first_date: dt.date, last_date: dt.date) -> list[bigquery.ScalarQueryParameter]:
    """The parameters of every check."""
    return [
        bigquery.ScalarQueryParameter("first_date", "DATE", first_date),
        bigquery.ScalarQueryParameter("last_date", "DATE", last_date),
    ]
