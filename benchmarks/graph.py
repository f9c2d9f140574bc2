"""The whole graph on FnApiRunner: against its floor, and against the pipeline people write first.

Floor: ``benchmarks.rivals.identity``, the same source and the same sink with one map between them
that changes nothing. Both write to the same emulator and are timed by the clock; a second pair
discards its rows and is measured by processor time, where only the steps differ.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
from google.cloud import bigquery

from benchmarks.harness.measure import Figure, Timed, cpu_seconds, interleaved, wall_seconds
from benchmarks.harness.traffic import stream
from benchmarks.harness.warehouse import fresh_dataset, no_warehouse, warehouse
from benchmarks.rivals import identity, naive
from local_runner.emulators.start import PROJECT
from pipeline import graph
from pipeline.config import Config
from pipeline.options import parse

Build = Callable[[beam.Pipeline, Config], None]
Seconds = Callable[[Callable[[], object]], float]


def run(quick: bool) -> list[Figure]:
    """Ratios of throughput, ours over theirs: larger is better."""
    many, few, rounds = (200, 100, 1) if quick else (100_000, 5_000, 5)
    with tempfile.TemporaryDirectory() as folder, warehouse() as client:
        large, small = _lines(Path(folder), many), _lines(Path(folder), few)
        against_floor = interleaved(
            {
                "ours": _into(client, _ours, large),
                "identity": _into(client, identity.build, large),
            },
            rounds,
        )
        against_naive = interleaved(
            {"ours": _into(client, _ours, small), "naive": _naive(client, small)}, rounds
        )
        with_sinks = interleaved(
            {
                "ours": _into(client, _ours, small, cpu_seconds),
                "naive": _naive(client, small, cpu_seconds),
            },
            rounds,
        )
        discarding = interleaved(
            {"ours": _nowhere(_ours, large), "identity": _nowhere(identity.build, large)},
            rounds,
        )
    return [
        Figure(
            "graph_vs_identity",
            against_floor.ratio("identity", "ours"),
            "throughput of source and sink alone",
            at_least=0.6,
        ),
        Figure(
            "graph_vs_naive",
            against_naive.ratio("naive", "ours"),
            "throughput of json + jsonschema + WriteToBigQuery",
            at_least=3,
        ),
        Figure(
            "graph_vs_identity_discarding",
            discarding.ratio("identity", "ours"),
            "the same, rows discarded, processor time",
        ),
        Figure(
            "graph_events_per_second",
            many / against_floor.median("ours"),
            "ours into the emulator, on one core",
            "/s",
        ),
        Figure(
            "graph_core_seconds_per_million",
            discarding.median("ours") / many * 1e6,
            "ours, rows discarded",
            "s",
        ),
        *(
            Figure(
                f"{name}_core_seconds_with_sink",
                with_sinks.median(name) / few * 1e6,
                f"{name} with its sink, {few:,} events, as for a million",
                "s",
            )
            for name in ("ours", "naive")
        ),
    ]


def _lines(folder: Path, count: int) -> Path:
    path = folder / f"{count}.jsonl"
    path.write_bytes(b"\n".join(stream(count)) + b"\n")
    return path


def _ours(pipeline: beam.Pipeline, config: Config) -> None:
    graph.build(pipeline, config, config.asked_bounds)


def _ready(build: Build, config: Config, options: object) -> Callable[[], object]:
    pipeline = beam.Pipeline(options=options)
    build(pipeline, config)
    return lambda: pipeline.run().wait_until_finish()


def _into(
    client: bigquery.Client, build: Build, path: Path, seconds: Seconds = wall_seconds
) -> Timed:
    def timed() -> float:
        config, options = parse([f"--input={path}", f"--dataset={fresh_dataset(client)}"])
        return seconds(_ready(build, config, options))

    return timed


def _nowhere(build: Build, path: Path) -> Timed:
    def timed() -> float:
        config, options = parse([f"--input={path}", f"--dataset={PROJECT}.nowhere"])
        with no_warehouse():
            return cpu_seconds(_ready(build, config, options))

    return timed


def _naive(client: bigquery.Client, path: Path, seconds: Seconds = wall_seconds) -> Timed:
    def timed() -> float:
        dataset = fresh_dataset(client)
        pipeline = beam.Pipeline("FnApiRunner")
        naive.build(pipeline, str(path), dataset)
        return seconds(lambda: pipeline.run().wait_until_finish())

    return timed
