"""The stored tables of an exam log, beside plain Python over the rows that its import wrote."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Warehouse
from tests.support import exam_logs
from tests.warehouse import running
from tests.warehouse.running import HASHED, WRITTEN


def test_an_exam_log_gives_what_plain_python_gives(applied: Warehouse, tmp_path: Path) -> None:
    """In one run over what the pipeline wrote."""
    log_file, dataset = exam_logs.generated(tmp_path), str(applied.dataset)
    command = [sys.executable, "-m", "local_runner", "import", str(log_file.path)]
    subprocess.run(
        [*command, "--dataset", dataset],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(exam_logs.ROOT)},
        check=True,
        capture_output=True,
    )
    rows = applied.client.query(f"SELECT * FROM `{dataset}.events_fact`").result()
    facts = [_as_given(dict(row.items())) for row in rows]
    running.run(applied)
    want = running.expected({"events_fact": facts, "dead_letters": []})
    assert len(want["sessions_fact"]) == log_file.students
    assert running.stored(applied, *HASHED, *WRITTEN) == want


def _as_given(row: dict[str, object]) -> dict[str, object]:
    """Times as text, as the oracle takes them."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
    }
