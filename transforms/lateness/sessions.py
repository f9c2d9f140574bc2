"""The bounded path: whole sessions at once, grouped."""

from collections.abc import Iterable, Iterator
from typing import Any

from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from transforms.lateness.rule import earlier
from transforms.lateness.steps import (
    Judged,
    JudgingFn,
    SessionElement,
    SettingsSource,
    StartSource,
    WaitingSession,
)
from transforms.steps import Dead, RunInfo


class JudgeSessionFn(JudgingFn):
    """Judges the events of a whole session at once.

    Where starts are to be found outside the run, the sessions of a bundle wait for its end, so
    that one question does for all of them.
    """

    def __init__(
        self, run: RunInfo, stage: str, settings: SettingsSource, starts: StartSource | None
    ) -> None:
        """Takes where starts are found that the run has not seen; None is nowhere."""
        super().__init__(run, stage, settings)
        self._starts = starts

    def start_bundle(self) -> None:
        """Begins without any session."""
        self._waiting: dict[str, WaitingSession] = {}

    def process(self, element: tuple[str, Iterable[SessionElement]]) -> Iterator[Judged | Dead]:
        """Gathers one session; judges it where nothing is to be asked."""
        session_id, members = element
        start, events = None, []
        for member in members:
            start = earlier(start, member.start)
            if member.event is not None:
                events.append(member.event)
        if self._starts is None:
            yield from (self.judged(event, start) for event in events)
        else:
            self._waiting[session_id] = WaitingSession(start, events)

    def finish_bundle(self) -> Iterator[Any]:
        """Judges the sessions that waited."""
        if self._starts is None or not self._waiting:
            return
        starts = self._starts.find(self._waiting)
        for session_id, session in self._waiting.items():
            for event in session.events:
                yield _in_window(self.judged(event, starts[session_id]))


def _in_window(output: Judged | Dead) -> Any:
    """An output as ``finish_bundle`` has to give it."""
    if isinstance(output, TaggedOutput):
        return TaggedOutput(output.tag, GlobalWindows.windowed_value(output.value))
    return GlobalWindows.windowed_value(output)
