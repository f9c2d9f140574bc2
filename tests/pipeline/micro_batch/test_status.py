"""What people see."""

import logging
import os
import pty
import subprocess
import sys

from pipeline.micro_batch.batches import Counts
from pipeline.micro_batch.status import Status

COUNTS = Counts(received=1_200, written=1_100, dead_letter_not_json=60, dead_letter_too_large=40)


ON_A_TERMINAL = """
import logging
from tests.pipeline.micro_batch.test_status import COUNTS
from pipeline.micro_batch.status import Status

logging.basicConfig(level=logging.WARNING)
with Status() as status:
    status.add(COUNTS, seconds=0.5)
    logging.warning("something waits")
    status.add(COUNTS, seconds=0.5)
"""


def test_a_terminal_has_one_line_that_changes_below_the_log():
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as screen:
        with open(theirs, "wb") as terminal:
            environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
            command = [sys.executable, "-c", ON_A_TERMINAL]
            subprocess.run(command, stderr=terminal, env=environment, check=True)
        shown = screen.read(100_000).decode()
    assert "waiting for messages" in shown
    log = shown.index("WARNING:root:something waits")
    last = shown.rindex("2,400 messages received, 2,200 facts written, 200 dead letters · 2,400/s")
    assert shown.index("1,200 messages received") < log < last


def test_a_log_has_a_line_now_and_then(caplog):
    caplog.set_level(logging.INFO)
    with Status() as status:
        for _ in range(100):
            status.add(COUNTS, seconds=0.5)
    assert caplog.messages == [
        "1,200 messages received, 1,100 facts written, 100 dead letters",
        "stopped: 120,000 messages received, 110,000 facts written, 10,000 dead letters",
    ]
