"""The real pipeline, ``python -m pipeline.main``, in a process of its own."""

import contextlib
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gcp.console import say
from gcp.dataset import Dataset
from local_runner.environment import PubSubNames
from local_runner.errors import RunnerError
from local_runner.processes.background import Background, background
from pipeline.pseudonym.keys import OPTION
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily

_POLL_SECONDS = 0.5
# A stream that has stored nothing for this long is given up.
_PATIENCE_SECONDS = 60.0
# When the count has not changed for this long, a line says why that may be.
_SILENCES = (3.0, 30.0)
# Simulated starts are minutes late or never arrive; a demo must not wait for them.
START_WAIT_SECONDS = 10


@contextlib.contextmanager
def streaming_pipeline(
    pubsub: PubSubNames,
    dataset: Dataset,
    logs: Path,
    families: Sequence[EventFamily] = (DEFAULT_FAMILY,),
) -> Iterator[Background]:
    """Runs the pipeline on the subscription until the block is left; logs to ``pipeline.log``."""
    arguments = [
        f"--input_subscription={pubsub.subscription}",
        f"--dead_letter_topic={pubsub.dead_letter_topic}",
        f"--session_start_wait_seconds={START_WAIT_SECONDS}",
        *family_options(families, logs),
    ]
    if len(families) > 1:
        # The direct runner takes ten messages at a time through the steps of each family.
        arguments.append("--micro_batch")
    with _pipeline(arguments, dataset, logs / "pipeline.log") as process:
        yield process


@contextlib.contextmanager
def bounded_pipeline(
    file: Path, dataset: Dataset, logs: Path, families: Sequence[EventFamily] = (DEFAULT_FAMILY,)
) -> Iterator[Background]:
    """Runs the pipeline over a .jsonl or .avro file; logs to ``bounded-pipeline.log``."""
    arguments = [f"--input={file}", *family_options(families, logs)]
    with _pipeline(arguments, dataset, logs / "bounded-pipeline.log") as process:
        yield process


def family_options(families: Sequence[EventFamily], folder: Path) -> list[str]:
    """The options of a run of these families; a pseudonym key that they need is in the folder."""
    options = [f"--event_family={','.join(family.name for family in families)}"]
    if any(family.needs_pseudonyms for family in families):
        key = folder.absolute() / "pseudonym.key"
        if not key.exists():
            key.touch(mode=0o600)
            key.write_text(secrets.token_hex(32))
        options.append(f"{OPTION}=k1=file:{key}")
    return options


@contextlib.contextmanager
def _pipeline(arguments: list[str], dataset: Dataset, log: Path) -> Iterator[Background]:
    command = [sys.executable, "-m", "pipeline.main", *arguments, f"--dataset={dataset}"]
    with background(command, log) as process:
        yield process


def drain_stream(
    process: Background,
    count: Callable[[], int],
    total: int,
    advance: Callable[[int], None],
    families: Sequence[EventFamily] = (DEFAULT_FAMILY,),
) -> None:
    """Waits until the warehouse has all messages, or has received none for a minute.

    While the count does not change, a line says what it waits for.

    Args:
        process: the streaming pipeline.
        count: messages that the warehouse has so far.
        total: messages that it should have in the end.
        advance: called repeatedly with the count.
        families: the event families that the pipeline reads.

    Raises:
        RunnerError: the pipeline died.
    """
    done, changed_at, said = count(), time.monotonic(), 0
    while done < total and (still := time.monotonic() - changed_at) < _PATIENCE_SECONDS:
        check_running(process)
        if said < len(_SILENCES) and still >= _SILENCES[said]:
            say(_waited_for(total - done, done, still, families))
            said += 1
        time.sleep(_POLL_SECONDS)
        before, done = done, count()
        advance(done)
        if done != before:
            changed_at, said = time.monotonic(), 0


def holds_events(families: Sequence[EventFamily]) -> bool:
    """Whether events wait for others before they are written, since their lateness is judged."""
    return any(family.judged_types for family in families)


def _waited_for(left: int, done: int, still: float, families: Sequence[EventFamily]) -> str:
    if not done:
        return f"{left:,} to come: the pipeline is starting"
    if still < 2 * START_WAIT_SECONDS and holds_events(families):
        wait = f"an event waits up to {START_WAIT_SECONDS} s for its session's start"
        return f"{left:,} to come: {wait}"
    return f"{left:,} to come, none for {still:.0f} s: given up after {_PATIENCE_SECONDS:.0f} s"


def follow_bounded(
    process: Background, count: Callable[[], int], advance: Callable[[int], None]
) -> None:
    """Waits until the bounded pipeline has ended; the rest as in ``drain_stream``."""
    while process.exit_code() is None:
        advance(count())
        time.sleep(_POLL_SECONDS)
    if process.exit_code() != 0:
        raise _died(process)
    advance(count())


def check_running(process: Background) -> None:
    """Raises RunnerError, with the end of the log, if a streaming pipeline has ended."""
    if process.exit_code() is not None:
        raise _died(process)


def _died(process: Background) -> RunnerError:
    return RunnerError(
        f"the pipeline ended with exit code {process.exit_code()}; the end of {process.log}:\n"
        f"{process.last_lines()}"
    )
