"""The benchmarks by name: each is one module with one function ``run(quick) -> figures``."""

from collections.abc import Callable, Mapping

from benchmarks import (
    decode,
    families,
    graph,
    growth,
    history,
    mastery,
    one_machine,
    sinks,
    stream,
)
from benchmarks.harness.measure import Figure

BENCHMARKS: Mapping[str, Callable[[bool], list[Figure]]] = {
    "decode": decode.run,
    "graph": graph.run,
    "families": families.run,
    "sinks": sinks.run,
    "stream": stream.run,
    "one_machine": one_machine.run,
    "growth": growth.run,
    "history": history.run,
    "mastery": mastery.run,
}
