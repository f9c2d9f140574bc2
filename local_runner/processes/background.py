"""Background processes that end with this process, however it ends."""

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local_runner.processes import supervisor


@dataclasses.dataclass(frozen=True)
class Background:
    """A running command.

    Attributes:
        log: file with everything that it prints.
        process: its supervisor, which passes on its exit code.
    """

    log: Path
    process: subprocess.Popen[bytes]

    def exit_code(self) -> int | None:
        """None while it runs; 128 + signal where a signal ended it."""
        return self.process.poll()

    def stop(self) -> int:
        """Sends SIGTERM, after a grace period SIGKILL; returns the exit code."""
        assert self.process.stdin is not None  # noqa: S101 - opened as a pipe below
        self.process.stdin.close()
        return self.process.wait()

    def last_lines(self, count: int = 10) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


@contextlib.contextmanager
def background(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Background]:
    """Runs ``command`` until the block is left or this process ends, even by SIGKILL.

    Args:
        command: program and arguments.
        log: overwritten with what the command prints; its folder is made.
        environment: the command's whole environment; None inherits ours.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches only us; we then stop the command in order
        )
    running = Background(log, process)
    try:
        yield running
    finally:
        running.stop()
