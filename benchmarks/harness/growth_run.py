"""One run of the graph on made-up events: ``python -m benchmarks.harness.growth_run events 1000``.

Kinds: ``events`` that settle their lateness themselves; ``traffic``, the same with session starts
and store errors; ``sessions`` that are all open at once: each sends its start and, when all have,
two submissions that need it. Prints processor seconds and peak memory (bytes) as JSON.
"""

import datetime as dt
import json
import logging
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apache_beam as beam

from benchmarks.harness.measure import cpu_seconds
from benchmarks.harness.traffic import stream
from benchmarks.harness.warehouse import no_warehouse
from local_runner.emulators.start import PROJECT
from pipeline import graph
from pipeline.options import parse
from schemas.message import Message


def sessions(count: int) -> Iterator[bytes]:
    """A start and two submissions for each of so many sessions, the starts first."""
    now = f"{dt.datetime.now(dt.UTC).isoformat()}"
    ids = '"test_id":"algebra-1","student_id":"s%d","session_id":"session-%d"'
    for number in range(count):
        yield (
            f'{{"event_id":"start-{number}","event_type":"session_start",{ids % (number, number)},'
            f'"client_ts":"{now}","session_duration_seconds":1800}}'
        ).encode()
    for submission in range(2):
        for number in range(count):
            yield (
                f'{{"event_id":"submit-{submission}-{number}","event_type":"answer_submit",'
                f'{ids % (number, number)},"client_ts":"{now}","question_id":"q1"}}'
            ).encode()


def straight(count: int) -> Iterator[bytes]:
    """Events that nothing has to be shuffled for."""
    return stream(count, leave_out=frozenset({"session_start", "store_error"}))


_KINDS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "events": straight,
    "traffic": stream,
    "sessions": sessions,
}


class _Made(beam.PTransform):
    """In place of the source: messages that are made one by one."""

    def __init__(self, kind: str, count: int) -> None:
        super().__init__()
        self._kind = kind
        self._count = count

    def expand(self, input_or_inputs: beam.Pipeline) -> beam.PCollection[Message]:
        """Gives a collection of Message."""
        kind, count = self._kind, self._count
        return (
            input_or_inputs
            | beam.Impulse()
            | beam.FlatMap(lambda _: messages(kind, count)).with_output_types(Message)
        )


def messages(kind: str, count: int) -> Iterator[Message]:
    """The events as messages."""
    now = dt.datetime.now(dt.UTC)
    for number, payload in enumerate(_KINDS[kind](count)):
        yield Message(payload=payload, message_id=str(number), publish_time=now, source="made")


def main(kind: str, count: int) -> None:
    """Runs the graph once."""
    logging.basicConfig(level=logging.ERROR)
    config, options = parse(["--input=made.jsonl", f"--dataset={PROJECT}.nowhere"])
    with no_warehouse():
        pipeline = beam.Pipeline(options=options)
        graph.build(pipeline, config, config.asked_bounds, _Made(kind, count))
    seconds = cpu_seconds(lambda: pipeline.run().wait_until_finish())
    print(json.dumps({"seconds": seconds, "peak_bytes": _peak_bytes()}))


def _peak_bytes() -> int:
    """Peak resident set. Not getrusage's on Linux, where a process starts with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
