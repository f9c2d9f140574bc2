"""What several event families cost: the step that routes, and records in place of plain fields.

The whole graph on FnApiRunner, rows discarded, by processor time. The same exam events go through a
run of their family alone and through one of all families. Nested events are those of a family with
an array of records, made up from its contract, against exam events: by event, and by kilobyte.
"""

import datetime as dt
import itertools
import random
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import apache_beam as beam

from benchmarks.harness.measure import Figure, Timed, cpu_seconds, interleaved
from benchmarks.harness.traffic import stream
from benchmarks.harness.warehouse import no_warehouse
from local_runner.emulators.start import PROJECT
from local_runner.traffic.events import encode
from local_runner.traffic.families import traffic_of
from pipeline import graph
from pipeline.options import parse
from schemas.families import DEFAULT_FAMILY, FAMILIES
from schemas.family import EventFamily

# Those that are stored without pseudonyms, which have a price of their own.
_ROUTED = [family for family in FAMILIES.values() if not family.needs_pseudonyms]


def run(quick: bool) -> list[Figure]:
    """Ratios of processor time: smaller is better."""
    count, rounds = (200, 1) if quick else (50_000, 11)
    nested = next(
        f for f in FAMILIES.values() if any(p.repeated and p.fields for p in f.contract.fields)
    )
    with tempfile.TemporaryDirectory() as folder:
        exam = _file(Path(folder) / "exam.jsonl", stream(count))
        other = _file(Path(folder) / "nested.jsonl", _events(nested, count))
        timed = interleaved(
            {
                "alone": _run(exam, [DEFAULT_FAMILY]),
                "routed": _run(exam, _ROUTED),
                "nested": _run(other, [nested]),
            },
            rounds,
        )
        kilobytes = exam.stat().st_size / other.stat().st_size
    by_event = timed.ratio("nested", "alone")
    return [
        Figure(
            "routing_cost",
            timed.ratio("routed", "alone"),
            f"exam events in a run of {len(_ROUTED)} families, against their own",
        ),
        Figure("nested_vs_exam", by_event, f"an event of {nested.name}, against one of an exam"),
        Figure("nested_vs_exam_by_kilobyte", by_event * kilobytes, "the same, per kilobyte"),
    ]


def _file(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def _events(family: EventFamily, count: int) -> list[bytes]:
    """Events of a simulated day, again and again; each message is one of its own for the graph."""
    day = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    traffic = traffic_of(family).events(random.Random(1), day)  # noqa: S311 - simulated traffic
    made = [encode(sent.event) for sent in itertools.islice(traffic, min(count, 10_000))]
    return list(itertools.islice(itertools.cycle(made), count))


def _run(path: Path, families: Sequence[EventFamily]) -> Timed:
    def timed() -> float:
        names = ",".join(family.name for family in families)
        config, options = parse(
            [f"--input={path}", f"--dataset={PROJECT}.nowhere", f"--event_family={names}"]
        )
        with no_warehouse():
            pipeline = beam.Pipeline(options=options)
            graph.build(pipeline, config, config.asked_bounds)
            return cpu_seconds(lambda: pipeline.run().wait_until_finish())

    return timed
