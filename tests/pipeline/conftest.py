import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def jsonl(tmp_path) -> Callable[..., str]:
    """Writes payloads (dict or bytes), one a line, and gives the path."""

    def write(*payloads: dict[str, Any] | bytes, name: str = "events.jsonl") -> str:
        path = tmp_path / name
        lines = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in payloads]
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return str(path)

    return write
