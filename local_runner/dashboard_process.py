"""The dashboard, ``python -m dashboard serve``, in a process of its own."""

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from gcp.dataset import Dataset
from local_runner.errors import RunnerError
from local_runner.processes.background import background

_PATIENCE_SECONDS, _POLL_SECONDS = 60.0, 0.1
_ADDRESS = re.compile(r"^(http://\S+) until", re.MULTILINE)


@contextlib.contextmanager
def dashboard(dataset: Dataset, logs: Path) -> Iterator[str]:
    """Serves the page on a free port until the block is left; logs to ``dashboard.log``.

    Yields:
        The address of the page.

    Raises:
        RunnerError: it did not start.
    """
    command = [sys.executable, "-m", "dashboard", "serve", f"--dataset={dataset}", "--port=0"]
    with background(command, logs / "dashboard.log") as process:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (address := _ADDRESS.search(process.log.read_text(errors="replace"))):
            if process.exit_code() is not None or time.monotonic() > deadline:
                raise RunnerError(f"the dashboard did not start:\n{process.last_lines()}")
            time.sleep(_POLL_SECONDS)
        yield address[1]
