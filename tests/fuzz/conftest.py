import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz.path import OUTCOMES

# `make fuzz` asks for this one: for each of five ways, 2,000 messages and 40,000 made of them.
settings.register_profile(
    "fuzz", max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck)
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells what became of the inputs; under xdist the workers know, and say nothing."""
    if OUTCOMES:
        told = ", ".join(f"{kind} {number:,}" for kind, number in OUTCOMES.most_common())
        terminalreporter.write_line(f"fuzz: {OUTCOMES.total():,} inputs: {told}")
