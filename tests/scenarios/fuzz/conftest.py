import pytest

from tests.scenarios.fuzz.path import OUTCOMES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Reports the outcomes of the inputs; not under xdist, where only the workers know them."""
    if OUTCOMES:
        outcomes = ", ".join(f"{kind} {number:,}" for kind, number in OUTCOMES.most_common())
        terminalreporter.write_line(f"fuzz: {OUTCOMES.total():,} inputs: {outcomes}")
