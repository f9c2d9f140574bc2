"""Runs the checks: questions to the warehouse whose answer should be no rows.

Each file in ``checks/`` is one SELECT of ``what`` (STRING) and ``found`` (INT64) over the event
dates from ``@first_date`` to ``@last_date``. Its first line tells how grave a finding is and what
should hold.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Literal

from google.cloud import bigquery

from ddl import statements
from gcp.dataset import Dataset

FIRST_DATE, LAST_DATE = dt.date(1960, 1, 1), dt.date(2159, 12, 31)

_HEADER = re.compile(r"-- (?P<severity>fail|warn): (?P<rule>.+)\n")
# Seconds. The library retries for ten minutes unless told otherwise; here a person waits.
_CALL: dict[str, Any] = {"retry": bigquery.DEFAULT_RETRY.with_timeout(30), "job_retry": None}

Severity = Literal["fail", "warn"]


@dataclasses.dataclass(frozen=True)
class Check:
    """One file.

    Attributes:
        severity: ``fail`` where a finding means that numbers are wrong, ``warn`` where it is
            something to know.
        rule: what should hold, in one sentence.
        sql: the query, filled in.
    """

    name: str
    severity: Severity
    rule: str
    sql: str


def checks(dataset: Dataset) -> list[Check]:
    """All checks: those that can fail first, then by name.

    Raises:
        ValueError: a file does not begin with its severity and rule.
    """
    found = [_check(name, statements.render(dataset, "checks", name)) for name in statements.CHECKS]
    return sorted(found, key=lambda check: (check.severity != "fail", check.name))


def _check(name: str, sql: str) -> Check:
    header = _HEADER.match(sql)
    if header is None:
        raise ValueError(f"checks/{name}.sql must begin with '-- fail: ' or '-- warn: '")
    severity: Severity = "fail" if header["severity"] == "fail" else "warn"
    return Check(name, severity, header["rule"], sql)


def run(
    client: bigquery.Client, check: Check, first_date: dt.date, last_date: dt.date
) -> Mapping[str, int]:
    """What a check finds among the events of the dates, and how much of it."""
    config = bigquery.QueryJobConfig(query_parameters=parameters(first_date, last_date))
    rows = client.query(check.sql, job_config=config, **_CALL).result(**_CALL)
    return {row["what"]: row["found"] for row in rows}


def parameters(first_date: dt.date, last_date: dt.date) -> list[bigquery.ScalarQueryParameter]:
    """The parameters of every check."""
    return [
        bigquery.ScalarQueryParameter("first_date", "DATE", first_date),
        bigquery.ScalarQueryParameter("last_date", "DATE", last_date),
    ]
