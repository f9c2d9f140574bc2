"""Runs one command for as long as the process that asked for it lives.

Started by :mod:`local_runner.processes` with a pipe as standard input whose other end only the
parent has. However the parent ends, SIGKILL included, the kernel closes that end; the read
below then returns, and the command and all its children are stopped. Standard library only, so
that it starts in milliseconds.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 15.0


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _stop_when_parent_is_gone(child: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _signal_group(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)


def main(command: list[str]) -> int:
    """Runs the command in a process group of its own and returns its exit code (128 + signal)."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as child:
        signal.signal(signal.SIGTERM, lambda *_: _signal_group(child.pid, signal.SIGTERM))
        threading.Thread(target=_stop_when_parent_is_gone, args=(child,), daemon=True).start()
        code = child.wait()
        _signal_group(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
