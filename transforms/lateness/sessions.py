"""The bounded path: events grouped by session."""

from collections.abc import Iterable, Iterator
from typing import Any

from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from schemas.exam_event.event import ValidExamEvent
from schemas.lateness import StartRecord
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

# Payload bytes of the events that wait for one lookup; in memory they take several times that.
MAX_WAITING_BYTES = 10_000_000


class JudgeSessionFn(JudgingFn):
    """Judges the events of a session together.

    A group is read twice, first for its start: its events may not fit into memory.

    With a StartSource, the sessions of a bundle wait for its end, so that one lookup serves all of
    them, or as many as ``MAX_WAITING_BYTES`` allows.
    """

    def __init__(
        self, run: RunInfo, stage: str, settings: SettingsSource, starts: StartSource | None
    ) -> None:
        """Takes the source of starts that the run has not seen; None if there is none."""
        super().__init__(run, stage, settings)
        self._starts = starts

    def start_bundle(self) -> None:
        """Starts with no waiting sessions."""
        self._waiting: dict[str, tuple[StartRecord | None, list[ValidExamEvent]]] = {}
        self._waiting_bytes = 0

    def process(self, element: tuple[str, Iterable[SessionElement]]) -> Iterator[Judged | Dead]:
        """Judges one session, or lets it wait for a lookup."""
        session_id, members = element
        start = None
        for member in members:
            start = earlier(start, member.start)
        events = (member.event for member in members if member.event is not None)
        if self._starts is None:
            yield from (self.judged(event, start) for event in events)
            return
        self._waiting[session_id] = start, []
        for event in events:
            self._waiting.setdefault(session_id, (start, []))[1].append(event)
            self._waiting_bytes += len(event.message.payload)
            if self._waiting_bytes > MAX_WAITING_BYTES:
                yield from self._judge_waiting()

    def finish_bundle(self) -> Iterator[Any]:
        """Judges the waiting sessions."""
        for output in self._judge_waiting():
            yield _in_window(output)

    def _judge_waiting(self) -> Iterator[Judged | Dead]:
        if self._starts is None or not self._waiting:
            return
        waiting = {name: WaitingSession(*session) for name, session in self._waiting.items()}
        starts = self._starts.find(waiting)
        for session_id, session in waiting.items():
            for event in session.events:
                yield self.judged(event, starts[session_id])
        self._waiting, self._waiting_bytes = {}, 0


def _in_window(output: Judged | Dead) -> Any:
    """An output in the form that ``finish_bundle`` must yield."""
    if isinstance(output, TaggedOutput):
        return TaggedOutput(output.tag, GlobalWindows.windowed_value(output.value))
    return GlobalWindows.windowed_value(output)
