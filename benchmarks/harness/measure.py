"""The figures of a benchmark, and how ratios are measured."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping

# Seconds that a contender took: ours, or one that it is compared with.
Timed = Callable[[], float]


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        key: its name in ``build/benchmarks.json``.
        value: positive and finite.
        description: what it measures, in a few words.
        unit: what it counts; ``x`` for a ratio.
        at_most, at_least: the target, if there is one.
    """

    key: str
    value: float
    description: str
    unit: str = "x"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    @property
    def target(self) -> str:
        """The target as text, empty if there is none."""
        if self.at_most is not None:
            return f"at most {self.at_most:.3g}"
        return f"at least {self.at_least:.3g}" if self.at_least is not None else ""


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process, without other load on the machine."""
    began = time.process_time()
    work()
    return time.process_time() - began


def wall_seconds(work: Callable[[], object]) -> float:
    """Wall-clock time: for work that involves other processes, such as an emulator."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleaved(contenders: Mapping[str, Timed], rounds: int) -> "Rounds":
    """Runs the contenders in turn, once unmeasured and then ``rounds`` times."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, timed in contenders.items():
            seconds = timed()
            if number:
                taken[name].append(seconds)
    return Rounds(taken)


@dataclasses.dataclass(frozen=True)
class Rounds:
    """Seconds by contender, one for each round."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """The median of a contender's seconds."""
        return statistics.median(self.seconds[name])

    def ratio(self, one: str, other: str) -> float:
        """The median over the rounds of one contender's time over the other's."""
        pairs = zip(self.seconds[one], self.seconds[other], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)
