"""Stopping by signal, where the moment of the signal matters."""

import subprocess
import sys

SIGNAL_BEFORE_THE_WAIT = """
import os, signal, threading
from pipeline.micro_batch.batch_queue import BatchQueue
from pipeline.stop_signals import on_stop_signal

wait, sent = threading.Condition.wait, []

def wait_after_a_signal(self, timeout=None):
    if not sent and threading.current_thread() is threading.main_thread():
        sent.append(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # a handler runs before the next line
    return wait(self, timeout)

threading.Condition.wait = wait_after_a_signal
batch_queue = BatchQueue(max_messages=10, max_seconds=1.0)
on_stop_signal(batch_queue.close, "the running batch")
print(batch_queue.take())
"""


def test_a_signal_between_the_look_at_the_inbox_and_the_wait_is_not_lost():
    command = [sys.executable, "-c", SIGNAL_BEFORE_THE_WAIT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
