"""Ends a loop of a long-running process when it is asked to."""

import logging
import os
import signal
import threading
from collections.abc import Callable

_LOG = logging.getLogger(__name__)


def on_stop_signal(stop: Callable[[], None], after: str) -> None:
    """The first signal calls ``stop``, a second one ends the process.

    A thread reacts to them, not the handler. A handler runs between any two steps of the main
    thread: for example after it has checked a queue and before it waits, when the handler could
    not wake it. The interpreter itself writes each signal to the pipe that the thread reads.

    Args:
        stop: makes the loop end soon.
        after: what it still finishes, for the log.
    """
    pipe, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    threading.Thread(target=_stop, args=(pipe, stop, after), daemon=True).start()


def _stop(pipe: int, stop: Callable[[], None], after: str) -> None:
    os.read(pipe, 1)
    _LOG.info("stopping after %s; a second signal stops at once", after)
    stop()
    os.read(pipe, 1)
    os._exit(1)  # what is not acknowledged comes again
