"""Lateness in the graph: from the payload for most events, else from the session's start.

An event whose payload is sufficient never touches state. Only the others, and the start records of
session_start events, are keyed by session: held in state by a stream, grouped in a bounded run.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput

from schemas import metrics
from schemas.exam_event.event import ValidExamEvent
from schemas.lateness import LatenessResult, LatenessSettings, LateStatus, StartRecord
from schemas.message import ValidEvent
from transforms.lateness.rule import NOT_APPLICABLE, judge, payload_deadline, start_record
from transforms.steps import Dead, RunInfo, StepFn

BY_SESSION = "by_session"

Judged: TypeAlias = tuple[ValidExamEvent, LatenessResult]


class SessionElement(msgspec.Struct, frozen=True, kw_only=True):
    """An element keyed by session: a start record, or an event that needs one."""

    start: StartRecord | None = None
    event: ValidExamEvent | None = None


BySession: TypeAlias = TaggedOutput[Literal["by_session"], tuple[str, SessionElement]]


class SettingsSource(Protocol):
    """The source of the rule's constants; it is pickled to the workers."""

    def open(self) -> None:
        """Called in ``setup``; waits while the table is unreachable, raises if it is invalid."""

    def current(self) -> LatenessSettings:
        """The settings as last read."""


@dataclasses.dataclass(frozen=True)
class WaitingSession:
    """A session of a bounded run whose events need its start.

    Attributes:
        start: the earliest start that the run has seen.
        events: in any order; empty if only the start arrived.
    """

    start: StartRecord | None
    events: Sequence[ValidExamEvent]


class StartSource(Protocol):
    """Session starts from outside a bounded run that is part of a stream; pickled to workers."""

    def find(self, sessions: Mapping[str, WaitingSession]) -> Mapping[str, StartRecord | None]:
        """The start record of each of these sessions by id; None if there is none.

        The starts that the run has seen are cached.
        """


@dataclasses.dataclass(frozen=True)
class LatenessConfig:
    """How long the stream waits and remembers.

    Attributes:
        wait_seconds: processing time that an event may wait for its session's start.
        state_ttl_seconds: event time after a session's last element until its state is cleared.
    """

    wait_seconds: int
    state_ttl_seconds: int


@dataclasses.dataclass(frozen=True)
class Lookups:
    """The lookups that judging needs besides the event.

    Attributes:
        settings: the constants of the rule.
        starts: the source of session starts that a bounded run, as part of a stream, has not seen;
            None if there is none.
    """

    settings: SettingsSource
    starts: StartSource | None = None


class JudgingFn(StepFn):
    """Base of the judging steps: settings, counters, and a dead letter for any exception."""

    def __init__(self, run: RunInfo, stage: str, settings: SettingsSource) -> None:
        super().__init__(run, stage)
        self._settings = settings
        self.statuses = {
            status: metrics.counter(metrics.late_status_counter(status)) for status in LateStatus
        }

    def setup(self) -> None:
        """Reads the settings."""
        super().setup()
        self._settings.open()

    def judged(self, accepted: ValidExamEvent, start: StartRecord | None) -> Judged | Dead:
        """The event with its lateness, or the dead letter of an internal error."""
        try:
            lateness = judge(accepted.event, start, self._settings.current())
        except Exception as error:
            return self.bug(accepted.message, error)
        self.statuses[lateness.late_status].inc()
        return accepted, lateness


class NotApplicableFn(beam.DoFn):
    """Marks every event NOT_APPLICABLE: for families without a lateness rule."""

    def __init__(self) -> None:
        self._count = metrics.counter(metrics.late_status_counter(LateStatus.NOT_APPLICABLE))

    def process(self, element: ValidEvent) -> Iterator[tuple[ValidEvent, LatenessResult]]:
        """Yields the event with the result NOT_APPLICABLE."""
        self._count.inc()
        yield element, NOT_APPLICABLE


class SettleFn(JudgingFn):
    """Judges events whose payload is sufficient; keys the others, and starts, by session."""

    def __init__(self, run: RunInfo, stage: str, settings: SettingsSource) -> None:
        super().__init__(run, stage, settings)
        self._settled = metrics.counter(metrics.LATENESS_SETTLED)
        self._sent = metrics.counter(metrics.LATENESS_BY_SESSION)

    def process(self, element: ValidExamEvent) -> Iterator[Judged | BySession | Dead]:
        """Yields one event, judged or keyed by its session; for a session_start its record too."""
        event = element.event
        if event.event_type not in self.run.family.judged_types:
            self.statuses[LateStatus.NOT_APPLICABLE].inc()
            yield element, NOT_APPLICABLE
            start = start_record(event)
            if start is not None:
                yield TaggedOutput(BY_SESSION, (event.session_id, SessionElement(start=start)))
        elif payload_deadline(event) is not None:
            self._settled.inc()
            yield self.judged(element, start=None)
        else:
            self._sent.inc()
            yield TaggedOutput(BY_SESSION, (event.session_id, SessionElement(event=element)))
