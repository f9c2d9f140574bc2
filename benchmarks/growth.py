"""Growth: time and peak memory of the graph against the number of events and of open sessions.

Each size runs in a process of its own (``benchmarks.harness.growth_run``), which makes its events
on the fly and discards its rows, so that what grows is the pipeline. Time is processor time, memory
the peak resident set of the process. ``events`` flow straight through; ``traffic`` has session
starts and store errors too, which FnApiRunner keeps in memory until they are grouped and flattened;
``sessions`` are grouped all of them.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.harness.measure import Figure
from local_runner.errors import RunnerError

_MEBIBYTE = 2**20


def run(quick: bool) -> list[Figure]:
    """Growth from the middle to the largest size, and what each size took."""
    many = (200, 400) if quick else (10_000, 100_000, 1_000_000)
    open_sessions = (200, 400) if quick else (1_000, 20_000, 200_000)
    rounds = 1 if quick else 3
    return [
        *_growth("events", many, rounds, "", memory_at_most=1.15, time_at_most=1.10),
        *_growth("traffic", many, 1, "traffic_"),
        *_growth("sessions", open_sessions, 1, "session_"),
    ]


def _growth(
    kind: str,
    sizes: Sequence[int],
    rounds: int,
    prefix: str,
    memory_at_most: float | None = None,
    time_at_most: float | None = None,
) -> list[Figure]:
    taken = [[_measure(kind, count) for count in sizes] for _ in range(rounds)]
    seconds = [statistics.median(run[0] for run in runs) for runs in zip(*taken, strict=True)]
    peaks = [statistics.median(run[1] for run in runs) for runs in zip(*taken, strict=True)]
    micros = [each / count * 1e6 for each, count in zip(seconds, sizes, strict=True)]
    span = f"{kind}, {sizes[-1]:,} over {sizes[-2]:,}"
    figures = [
        Figure(
            f"{prefix}memory_growth", peaks[-1] / peaks[-2], f"peak: {span}", at_most=memory_at_most
        ),
        Figure(
            f"{prefix}time_growth", micros[-1] / micros[-2], f"each: {span}", at_most=time_at_most
        ),
    ]
    for count, each, peak in zip(sizes, micros, peaks, strict=True):
        figures.append(Figure(f"{kind}_{count}_micros", each, f"each of {count:,} {kind}", "µs"))
        figures.append(Figure(f"{kind}_{count}_peak", peak / _MEBIBYTE, "peak memory", "MiB"))
    return figures


def _measure(kind: str, count: int) -> tuple[float, float]:
    """Processor seconds and peak bytes of one run."""
    command = [sys.executable, "-m", "benchmarks.harness.growth_run", kind, str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RunnerError(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-300:]}")
    measured = json.loads(done.stdout)
    return measured["seconds"], measured["peak_bytes"]
