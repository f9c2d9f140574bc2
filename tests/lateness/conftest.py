import dataclasses

import pytest

from tests import go_programs


@dataclasses.dataclass(frozen=True)
class Engine:
    """A runner.

    Attributes:
        options: how to ask for it.
        steps_to_settle: the direct runner's TestStream goes on before its last elements have come
            through every stage; so many steps of a clock that hardly moves let them. Prism waits
            by itself, and fires what is due at each step of the clock.
        keeps_counters: whether its result has the counters of the whole run. The direct runner's
            has those of one bundle only.
    """

    options: list[str]
    steps_to_settle: int
    keeps_counters: bool


@pytest.fixture(params=["direct", "prism"])
def engine(request) -> Engine:
    """Each runner that has TestStream, state and processing-time timers."""
    if request.param == "direct":
        options = ["--runner=BundleBasedDirectRunner"]
        return Engine(options, steps_to_settle=20, keeps_counters=False)
    return Engine(
        [
            "--runner=PrismRunner",
            f"--prism_location={go_programs.prism()}",
            "--environment_type=LOOPBACK",
        ],
        steps_to_settle=0,
        keeps_counters=True,
    )
