from collections.abc import Callable
from typing import Any

import pytest

from tests.pipeline.events import bodies


@pytest.fixture
def jsonl(tmp_path) -> Callable[..., str]:
    """Writes payloads (dict or bytes), one a line, and gives the path."""

    def write(*payloads: dict[str, Any] | bytes, name: str = "events.jsonl") -> str:
        path = tmp_path / name
        path.write_bytes(b"".join(body + b"\n" for body in bodies(*payloads)))
        return str(path)

    return write
