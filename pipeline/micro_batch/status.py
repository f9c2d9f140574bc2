"""The progress of the mode for people: one live line on a terminal, log lines elsewhere."""

import logging
import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pipeline.micro_batch.batches import Counts
from schemas import metrics
from schemas.errors import ErrorKind

_LOG_SECONDS = 30.0
_LOG = logging.getLogger(__name__)


class Status:
    """Totals, updated after each batch. Nothing is drawn in between, so waiting costs nothing."""

    def __init__(self) -> None:
        self._totals = Counts()
        self._live: Live | None = None
        self._next_log = 0.0

    def __enter__(self) -> Self:
        console = Console(stderr=True)
        if console.is_terminal:
            self._live = Live(Text("waiting for messages"), console=console, auto_refresh=False)
            self._live.start(refresh=True)
            _log_to_stderr()  # which is rich's now: log lines go above the live one
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            _log_to_stderr()
        else:
            _LOG.info("stopped: %s", self._text())

    def add(self, counts: Counts, seconds: float) -> None:
        """Adds the counters of a batch that took so many seconds, and shows the totals."""
        self._totals += counts
        if self._live is not None:
            rate = counts[metrics.RECEIVED] / seconds
            self._live.update(Text(f"{self._text()} · {rate:,.0f}/s"), refresh=True)
        elif time.monotonic() >= self._next_log:
            self._next_log = time.monotonic() + _LOG_SECONDS
            _LOG.info("%s", self._text())

    def _text(self) -> str:
        dead = sum(self._totals[metrics.error_kind_counter(kind)] for kind in ErrorKind)
        return (
            f"{self._totals[metrics.RECEIVED]:,} messages received, "
            f"{self._totals[metrics.WRITTEN]:,} facts written, {dead:,} dead letters"
        )


def _log_to_stderr() -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)
