"""Writes an exam log to a file, to a topic, or through the bounded pipeline."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from gcp.clients import bigquery_client
from gcp.console import progress, say
from gcp.dataset import Dataset
from local_runner.emulators.start import LOGS
from local_runner.environment import make_logs, run_name
from local_runner.pipeline_process import bounded_pipeline, follow_bounded
from local_runner.report.counts import rows
from local_runner.traffic.publishing import publish
from schemas.tables import DEAD_LETTERS, EVENTS_FACT


def to_file(payloads: Iterable[bytes], path: Path) -> None:
    """Writes one payload a line. Raises OSError."""
    with path.open("wb") as file:
        file.writelines(payload + b"\n" for payload in payloads)


def to_topic(payloads: Sequence[bytes], topic: str) -> None:
    """Publishes the payloads, without attributes."""
    with progress("Published", len(payloads)) as advance:
        publish(((payload, {}) for payload in payloads), topic, advance)


def to_dataset(payloads: Sequence[bytes], dataset: Dataset, name: str) -> None:
    """Loads the payloads through the bounded pipeline.

    Args:
        payloads: the events.
        dataset: has the tables already.
        name: of the file that is loaded. Its path is the same each time, and so are the message
            ids: a log that is imported again adds no duplicates.

    Raises:
        RunnerError: the pipeline failed.
    """
    client = bigquery_client(dataset.project)
    before = rows(client, dataset)
    file = LOGS / "import" / f"{name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        to_file(payloads, file)
        with (
            bounded_pipeline(file, dataset, make_logs(run_name())) as process,
            progress("In the warehouse", len(payloads)) as advance,
        ):
            follow_bounded(process, lambda: (rows(client, dataset) - before).total(), advance)
    finally:
        file.unlink(missing_ok=True)
    new = rows(client, dataset) - before
    say(f"{new[EVENTS_FACT]:,} facts and {new[DEAD_LETTERS]:,} dead letters")
