"""Runs the benchmarks: ``python -m benchmarks [NAME ...]``."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import report
from benchmarks.harness.measure import Figure
from benchmarks.harness.registry import BENCHMARKS
from local_runner.errors import RunnerError


def main(argv: Sequence[str]) -> int:
    """Runs all benchmarks or those named; gives the exit code. A missed target is no failure."""
    arguments = _parse(argv)
    logging.basicConfig(level=logging.ERROR)
    figures: list[Figure] = []
    try:
        for name in arguments.names or BENCHMARKS:
            began = time.monotonic()
            print(f"{name} ...", end=" ", flush=True)
            figures += BENCHMARKS[name](arguments.quick)
            report.write(figures, arguments.output)  # now, should a later one fail
            print(f"{time.monotonic() - began:.0f} s")
    except RunnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(report.table(figures))
    print(f"written: {arguments.output}/benchmarks.json and benchmarks.png")
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures what this costs; every figure with a target is a ratio in one run.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="tiny runs, to see that they work")
    parser.add_argument("--output", type=Path, default=Path("build"), help="(default: %(default)s)")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"no benchmark is called {min(unknown)}: there are {', '.join(BENCHMARKS)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
