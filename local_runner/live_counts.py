"""The counts of ``up``: one live region on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.text import Text

from gcp.console import console, fold, say
from pipeline.counts import Counts

_LINE_SECONDS = 30.0


class LiveCounts:
    """Displays counts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Takes the clock (seconds), which tests replace."""
        self._clock = clock
        self._live: Live | None = None
        self._shown = described(Counts(0, 0, {}, 0))
        self._next_line = 0.0

    def __enter__(self) -> Self:
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(Text(fold(self._shown)), console=console, auto_refresh=False)
            self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, counts: Counts) -> None:
        """Draws the counts; without a terminal prints them if changed, at most every 30 seconds."""
        text = described(counts)
        if text == self._shown:
            return
        if self._live is not None:
            self._live.update(Text(fold(text)), refresh=True)
        elif self._clock() < self._next_line:
            return
        else:
            self._next_line = self._clock() + _LINE_SECONDS
            say(text)
        self._shown = text


def described(counts: Counts) -> str:
    """One line of totals, and a second one of dead letters by kind where there are any."""
    kinds = {kind: number for kind, number in counts.dead_letters.items() if number}
    text = (
        f"received {counts.accounted:,} = {counts.facts:,} facts + "
        f"{counts.duplicates:,} duplicates + {sum(kinds.values()):,} dead letters"
    )
    if not kinds:
        return text
    by_kind = ", ".join(f"{kind} {number:,}" for kind, number in sorted(kinds.items()))
    return f"{text}\ndead letters: {by_kind}"
