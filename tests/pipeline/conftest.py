import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def rows_of(applied) -> Callable[[str], list[dict[str, Any]]]:
    """Runs SQL with ``{dataset}`` filled in and gives the rows."""

    def run(sql: str) -> list[dict[str, Any]]:
        job = applied.client.query(sql.format(dataset=f"`{applied.dataset}`"))
        return [dict(row.items()) for row in job.result()]

    return run


@pytest.fixture
def jsonl(tmp_path) -> Callable[..., str]:
    """Writes payloads (dict or bytes), one a line, and gives the path."""

    def write(*payloads: dict[str, Any] | bytes, name: str = "events.jsonl") -> str:
        path = tmp_path / name
        lines = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in payloads]
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return str(path)

    return write
