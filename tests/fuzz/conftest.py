import pytest

from tests.fuzz.path import OUTCOMES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells what became of the inputs; under xdist the workers know, and say nothing."""
    if OUTCOMES:
        told = ", ".join(f"{kind} {number:,}" for kind, number in OUTCOMES.most_common())
        terminalreporter.write_line(f"fuzz: {OUTCOMES.total():,} inputs: {told}")
