"""Command lines of ``python -m pipeline.main``, and the command itself."""

import subprocess
import sys

STREAM = [
    "--input_subscription=projects/local-exams/subscriptions/events",
    "--dead_letter_topic=projects/local-exams/topics/dead-letters",
    "--dataset=local-exams.exams",
]
BATCHES = [*STREAM, "--micro_batch"]
BOUNDED = ["--input=events.jsonl", "--dataset=local-exams.exams"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
