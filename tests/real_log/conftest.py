"""Each exam log, imported once for all tests that look at it."""

import dataclasses
import datetime as dt
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from ddl.apply import apply
from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from local_runner.emulators.start import PROJECT, BigQueryEmulator
from tests.exam_logs import ExamLogFile
from tests.real_log import oracle

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Imported:
    """A dataset that ``python -m local_runner import`` has filled, and how that went."""

    dataset: Dataset
    client: bigquery.Client
    done: subprocess.CompletedProcess[str]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Runs SQL with ``{dataset}`` filled in."""
        result = self.client.query(sql.format(dataset=self.dataset)).result()
        return [dict(row.items()) for row in result]


@pytest.fixture(scope="session")
def exam(log_file: ExamLogFile) -> oracle.Exam:
    """Opened 30 days ago at midnight, so that clocks before it show on the day before."""
    midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return oracle.read(log_file.path, midnight - dt.timedelta(days=30))


@pytest.fixture(scope="session")
def imported(
    log_file: ExamLogFile,
    exam: oracle.Exam,
    _bigquery: BigQueryEmulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Imported]:
    dataset = Dataset(PROJECT, f"real_log_{uuid.uuid4().hex}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _bigquery.environment.items():
            patch.setenv(name, value)
        client = bigquery_client(PROJECT)
        apply(client, dataset)
        command = [sys.executable, "-m", "local_runner", "import", str(log_file.path)]
        done = subprocess.run(
            [*command, f"--dataset={dataset}", f"--exam_start={exam.start.isoformat()}"],
            cwd=tmp_path_factory.mktemp("import"),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
    yield Imported(dataset, client, done)
    client.delete_dataset(str(dataset), delete_contents=True)
    client.close()
