"""``python -m local_runner``: the demo, its parts, and exam logs."""

import argparse
import functools
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gcp.console import progress, say
from gcp.errors import SERVICE_ERRORS, explain
from local_runner.arguments import parser
from local_runner.demo import demo
from local_runner.emulators.start import PROJECT, check_named_emulators
from local_runner.errors import RunnerError
from local_runner.traffic import exam_log, importer
from local_runner.traffic.archive import write_archive
from local_runner.traffic.publishing import publish
from local_runner.traffic.simulate import simulate
from local_runner.up import School, up


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    The exit code is 0 done, 1 it failed, 2 wrong arguments, 130 Ctrl-C or SIGTERM (which end
    ``up`` with 0).
    """
    args = parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        _COMMANDS[args.command](args)
    except RunnerError as error:
        return _fail(str(error))
    except SERVICE_ERRORS as error:
        return _fail(explain(error))
    except OSError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    return 0


def _fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


def _demo(args: argparse.Namespace) -> None:
    demo(args.messages, args.seed, args.event_family)


def _up(args: argparse.Namespace) -> None:
    if args.env is not None and not args.postgres:
        parser().error("--env goes with --postgres")
    school = _school(args.env) if args.postgres else None
    with_pipeline = not args.no_pipeline
    up(args.ports, args.keep, with_pipeline, args.event_family, school)


def _school(env: str | None) -> School:
    try:
        from local_runner.postgres import start
    except ModuleNotFoundError as missing:
        raise RunnerError(
            f"--postgres needs the package {missing.name}: install the extra postgres"
        ) from None
    return functools.partial(start.school, env)


def _simulate(args: argparse.Namespace) -> None:
    messages = simulate(args.messages, args.seed, args.start, args.event_family)
    if args.output is not None:
        write_archive(
            messages, args.output, f"projects/{PROJECT}/subscriptions/exam-events", args.start
        )
        _say_written(args.output, len(messages))
        return
    check_named_emulators()
    with progress("Published", len(messages)) as advance:
        sent = ((message.payload, message.attributes) for message in messages)
        publish(sent, args.topic, advance, args.rate)


def _import(args: argparse.Namespace) -> None:
    log = exam_log.read_log(args.file, args.exam_start)
    for bad in log.bad_lines:
        print(f"{args.file}:{bad.number}: {bad.reason}, skipped", file=sys.stderr)
    name = args.exam or re.sub("[^A-Za-z0-9_.-]", "-", args.file.stem)[:64]
    exam = exam_log.Exam(name, args.exam_start, args.duration_seconds)
    payloads = list(exam_log.payloads(log.lines, exam))
    if args.output is not None:
        importer.to_file(payloads, args.output)
        _say_written(args.output, len(payloads))
        return
    check_named_emulators()
    if args.topic is not None:
        importer.to_topic(payloads, args.topic)
    else:
        importer.to_dataset(payloads, args.dataset, name)


def _say_written(path: Path, messages: int) -> None:
    say(f"Wrote {messages:,} messages to {path} ({path.stat().st_size:,} bytes)")


_COMMANDS = {"demo": _demo, "up": _up, "simulate": _simulate, "import": _import}

if __name__ == "__main__":
    sys.exit(main())
