"""``up``: emulators, tables, pipeline and dashboard, kept running until Ctrl-C or SIGTERM."""

import contextlib
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

from gcp.arguments import PROGRAM
from gcp.clients import EMULATOR_VARIABLE, STORAGE_EMULATOR_VARIABLE, bigquery_client
from gcp.console import console, say
from local_runner.dashboard_process import dashboard
from local_runner.emulators.ports import Ports
from local_runner.emulators.start import PUBSUB_VARIABLE
from local_runner.environment import (
    Environment,
    OperationalDatabase,
    PubSubNames,
    run_name,
    start_environment,
)
from local_runner.errors import RunnerError
from local_runner.live_counts import LiveCounts
from local_runner.pipeline_process import (
    START_WAIT_SECONDS,
    check_running,
    family_options,
    holds_events,
    streaming_pipeline,
)
from local_runner.processes.background import Background
from pipeline.reconcile import count
from schemas.families import DEFAULT_FAMILY
from schemas.family import EventFamily

# Counting reads the tables: rarely enough to leave the emulator's time to the pipeline.
_COUNT_SECONDS, _COUNT_SHARE = 2.0, 0.1
_LABEL, _WIDTH = 26, 80


# Starts one, given the folder for its log.
School: TypeAlias = Callable[[Path], AbstractContextManager[OperationalDatabase]]


def up(
    ports: Ports | None,
    keep: Path | None,
    with_pipeline: bool,
    families: Sequence[EventFamily],
    school: School | None = None,
) -> None:
    """Runs until Ctrl-C or SIGTERM, then stops everything in order.

    Args:
        ports: where the emulators listen; None is free ports.
        keep: folder in which the tables outlive this run; None deletes them.
        with_pipeline: whether the pipeline runs too.
        families: the event families that it reads.
        school: starts an operational database; None is none.

    Raises:
        RunnerError: something does not start, or the pipeline dies.
    """
    named = [name for name in (PUBSUB_VARIABLE, EMULATOR_VARIABLE) if os.environ.get(name)]
    say("Starting the emulators and creating the tables ...")
    started = None
    with (
        contextlib.suppress(KeyboardInterrupt),
        start_environment(run_name(), ports, keep, families) as environment,
    ):
        if environment.pubsub is None:
            raise RunnerError(environment.pubsub_missing)
        started = environment
        with contextlib.ExitStack() as stack:
            page = stack.enter_context(dashboard(environment.dataset, environment.logs))
            database = stack.enter_context(school(environment.logs)) if school else None
            process = stack.enter_context(_pipeline(environment, with_pipeline, families))
            _describe(environment, environment.pubsub, page, with_pipeline, families, database)
            with contextlib.suppress(KeyboardInterrupt):
                _follow(environment, process, families, database)
            say("Stopping ...")
    _say_what_is_left(started, named, keep)


@contextlib.contextmanager
def _pipeline(
    environment: Environment, wanted: bool, families: Sequence[EventFamily]
) -> Iterator[Background | None]:
    if not wanted or environment.pubsub is None:
        yield None
        return
    with streaming_pipeline(
        environment.pubsub, environment.dataset, environment.logs, families
    ) as process:
        yield process


def _follow(
    environment: Environment,
    process: Background | None,
    families: Sequence[EventFamily],
    database: OperationalDatabase | None,
) -> None:
    """Shows the counts of the tables until interrupted."""
    with bigquery_client(environment.dataset.project) as client, LiveCounts() as live:
        while True:
            if process is not None:
                check_running(process)
            if database is not None:
                database.check()
            began = time.monotonic()
            live.show(count(client, environment.dataset, families=families))
            taken = time.monotonic() - began
            time.sleep(max(_COUNT_SECONDS, taken / _COUNT_SHARE))


def _describe(
    environment: Environment,
    pubsub: PubSubNames,
    page: str,
    with_pipeline: bool,
    families: Sequence[EventFamily],
    database: OperationalDatabase | None,
) -> None:
    options = [
        part
        for option in family_options(families, environment.logs)
        for part in option.split("=", 1)
        if families != (DEFAULT_FAMILY,)
    ]
    for label, value in (
        ("dashboard", page),
        ("topic", pubsub.topic),
        ("subscription", pubsub.subscription),
        ("dead-letter topic", pubsub.dead_letter_topic),
        ("dead-letter subscription", pubsub.dead_letter_subscription),
        ("dataset", str(environment.dataset)),
        ("Pub/Sub emulator", environment.variables[PUBSUB_VARIABLE]),
        ("BigQuery emulator, REST", environment.variables[EMULATOR_VARIABLE]),
        ("BigQuery emulator, gRPC", environment.variables.get(STORAGE_EMULATOR_VARIABLE, "none")),
        ("logs", str(environment.logs)),
        *([("PostgreSQL", database.place)] if database else []),
    ):
        fits = _LABEL + len(value) <= _WIDTH
        console.print(f"{label:<{_LABEL}}{value}" if fits else f"{label}\n  {value}")
    console.print("\nIn a second terminal, in this folder:\n")
    variables = environment.variables | (database.variables if database else {})
    for name, value in variables.items():
        console.print(f"export {name}={value}")
    console.print(
        _folded(
            [*_this_program(), "simulate", *options[:2], "--rate", "50", "--topic", pubsub.topic]
        )
    )
    if database:
        console.print("\nAn app writes to PostgreSQL. To pull it, as often as you like:\n")
        pull = (_python(), "-m", "pipeline.main", "--input_postgres", *database.pull_options)
        console.print(_folded([*pull, "--dataset", str(environment.dataset)]))
    if with_pipeline:
        wait = f"an event waits up to {START_WAIT_SECONDS} s for its session's start"
        waits = f": {wait} before it is among them" if holds_events(families) else ""
        say(f"\nThe pipeline runs until Ctrl-C. The counts are those of the tables{waits}.\n")
        return
    console.print("\nNo pipeline runs. Start one in a third terminal, after the same exports:\n")
    console.print(
        _folded(
            [
                *(_python(), "-m", "pipeline.main", "--micro_batch"),
                *("--input_subscription", pubsub.subscription),
                *("--dead_letter_topic", pubsub.dead_letter_topic),
                *("--dataset", str(environment.dataset)),
                *options,
            ]
        )
    )
    say("\nThe emulators run until Ctrl-C. The counts are those of the tables.\n")


def _say_what_is_left(
    environment: Environment | None, named: Sequence[str], keep: Path | None
) -> None:
    if environment is None:
        say("Stopped before the start was complete.")
        return
    if PUBSUB_VARIABLE not in named:
        say("Topics, subscriptions and messages that no table has yet are deleted.")
    if keep is not None:
        say(f"The tables are kept in {keep}: the next `up --keep {keep}` finds them.")
    elif EMULATOR_VARIABLE in named:
        say(f"The tables of {environment.dataset} stay where {EMULATOR_VARIABLE} points.")
    else:
        say("The tables are deleted too: `up --keep DIR` would keep them.")


def _this_program() -> list[str]:
    """How this command was started, to start another one."""
    if sys.argv[0].startswith(PROGRAM):
        return [PROGRAM if shutil.which(PROGRAM) else str(Path(_python()).with_name(PROGRAM))]
    return [_python(), "-m", "local_runner"]


def _python() -> str:
    """This interpreter, by the shorter of its names."""
    with contextlib.suppress(ValueError):
        return str(Path(sys.executable).relative_to(Path.cwd()))
    return sys.executable


def _folded(command: Sequence[str]) -> str:
    """The command for a shell, in lines that go on after a backslash."""
    lines = [""]
    for word in map(shlex.quote, command):
        if lines[-1] and len(lines[-1]) + len(word) + 3 > _WIDTH:
            lines.append(f"    {word}")
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip() if len(lines) == 1 else f"{lines[-1]} {word}"
    return " \\\n".join(lines)
