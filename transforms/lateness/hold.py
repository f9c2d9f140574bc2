"""The stream's session state: an event waits for its session's start (DESIGN 5.6)."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.coders import VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Duration, Timestamp

from schemas import metrics
from schemas.coders import StructCoder
from schemas.exam_event.event import ValidExamEvent
from schemas.lateness import StartRecord
from transforms.lateness.rule import earlier
from transforms.lateness.steps import (
    Judged,
    JudgingFn,
    LatenessConfig,
    SessionElement,
    SettingsSource,
)
from transforms.steps import Dead, RunInfo

# Limits per session: held events, and bytes of their payloads.
MAX_HELD = 1_000
MAX_HELD_BYTES = 10_000_000


class HoldForStartFn(JudgingFn):
    """Keyed by session: judges each event once the start is known, or when the wait is over.

    State per session: its start record; the held events, their number and the bytes of their
    payloads; the latest element timestamp, in microseconds. Once the start is known, nothing is
    held. Everything is cleared ``state_ttl_seconds`` of event time after the last element.

    Copies are safe: an event that arrives twice is judged twice, and the view ``events`` returns
    it once; a start that arrives twice changes nothing.
    """

    START = ReadModifyWriteStateSpec("start", StructCoder(StartRecord))
    HELD = BagStateSpec("held", StructCoder(ValidExamEvent))
    HELD_COUNT = ReadModifyWriteStateSpec("held_count", VarIntCoder())
    HELD_BYTES = ReadModifyWriteStateSpec("held_bytes", VarIntCoder())
    LATEST = ReadModifyWriteStateSpec("latest_micros", VarIntCoder())
    WAIT_OVER = TimerSpec("wait_over", TimeDomain.REAL_TIME)
    SESSION_OVER = TimerSpec("session_over", TimeDomain.WATERMARK)

    def __init__(
        self,
        run: RunInfo,
        stage: str,
        settings: SettingsSource,
        config: LatenessConfig,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Takes the processing-time clock (seconds), which tests replace."""
        super().__init__(run, stage, settings)
        self._wait = config.wait_seconds
        self._ttl = Duration(seconds=config.state_ttl_seconds)
        self._clock = clock
        self._held = metrics.counter(metrics.HELD)
        self._by_start = metrics.counter(metrics.RELEASED_BY_START)
        self._unknown = metrics.counter(metrics.RELEASED_UNKNOWN)
        self._overflowed = metrics.counter(metrics.HOLD_OVERFLOWED)
        self._cleared = metrics.counter(metrics.STATE_CLEARED)

    def process(
        self,
        element: tuple[str, SessionElement],
        timestamp: Any = beam.DoFn.TimestampParam,
        start_state: Any = beam.DoFn.StateParam(START),
        held: Any = beam.DoFn.StateParam(HELD),
        held_count: Any = beam.DoFn.StateParam(HELD_COUNT),
        held_bytes: Any = beam.DoFn.StateParam(HELD_BYTES),
        latest: Any = beam.DoFn.StateParam(LATEST),
        wait_over: Any = beam.DoFn.TimerParam(WAIT_OVER),
        session_over: Any = beam.DoFn.TimerParam(SESSION_OVER),
    ) -> Iterator[Judged | Dead]:
        _, member = element
        self._keep_until(timestamp, latest, session_over)
        start = start_state.read()
        if member.start is not None:
            start = earlier(start, member.start)
            start_state.write(start)
            if held_count.read():
                wait_over.clear()
                yield from self._release(start, held, held_count, held_bytes, self._by_start)
        if member.event is None:
            return
        if start is not None:
            yield self.judged(member.event, start)
            return
        count = held_count.read() or 0
        size = (held_bytes.read() or 0) + len(member.event.message.payload)
        if count >= MAX_HELD or size > MAX_HELD_BYTES:
            self._overflowed.inc()
            yield self.judged(member.event, None)
            return
        if count == 0:
            wait_over.set(Timestamp.of(self._clock() + self._wait))
        held.add(member.event)
        held_count.write(count + 1)
        held_bytes.write(size)
        self._held.inc()

    @on_timer(WAIT_OVER)
    def stop_waiting(
        self,
        start_state: Any = beam.DoFn.StateParam(START),
        held: Any = beam.DoFn.StateParam(HELD),
        held_count: Any = beam.DoFn.StateParam(HELD_COUNT),
        held_bytes: Any = beam.DoFn.StateParam(HELD_BYTES),
    ) -> Iterator[Judged | Dead]:
        yield from self._release(start_state.read(), held, held_count, held_bytes, self._unknown)

    @on_timer(SESSION_OVER)
    def forget(
        self,
        start_state: Any = beam.DoFn.StateParam(START),
        held: Any = beam.DoFn.StateParam(HELD),
        held_count: Any = beam.DoFn.StateParam(HELD_COUNT),
        held_bytes: Any = beam.DoFn.StateParam(HELD_BYTES),
        latest: Any = beam.DoFn.StateParam(LATEST),
    ) -> Iterator[Judged | Dead]:
        yield from self._release(start_state.read(), held, held_count, held_bytes, self._unknown)
        start_state.clear()
        latest.clear()
        self._cleared.inc()

    def _keep_until(self, timestamp: Any, latest: Any, session_over: Any) -> None:
        micros = max(latest.read() or 0, timestamp.micros)
        latest.write(micros)
        session_over.set(Timestamp(micros=micros) + self._ttl)

    def _release(
        self,
        start: StartRecord | None,
        held: Any,
        held_count: Any,
        held_bytes: Any,
        counter: Any,
    ) -> Iterator[Judged | Dead]:
        for accepted in held.read():
            counter.inc()
            yield self.judged(accepted, start)
        held.clear()
        held_count.clear()
        held_bytes.clear()
