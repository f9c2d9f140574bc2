"""``python -m local_runner``: the demo, its parts, and exam logs."""

import argparse
import contextlib
import re
import signal
import sys
import time
from collections.abc import Sequence

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from gcp.console import console, progress
from local_runner.arguments import parser
from local_runner.demo import demo
from local_runner.emulators.start import PROJECT, check_named_emulators
from local_runner.environment import run_name, start_environment
from local_runner.errors import RunnerError
from local_runner.pipeline_process import check_running, streaming_pipeline
from local_runner.traffic import exam_log, importer
from local_runner.traffic.archive import write_archive
from local_runner.traffic.publishing import publish
from local_runner.traffic.simulate import simulate


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    The exit code is 0 done, 1 it failed, 2 wrong arguments, 130 Ctrl-C or SIGTERM.
    """
    args = parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background process ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        _COMMANDS[args.command](args)
    except RunnerError as error:
        return _fail(str(error))
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        return _fail(str(error).partition("\n")[0])
    except KeyboardInterrupt:
        return 130
    return 0


def _fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


def _demo(args: argparse.Namespace) -> None:
    demo(args.messages, args.seed)


def _up(_: argparse.Namespace) -> None:
    with contextlib.suppress(KeyboardInterrupt), start_environment(run_name()) as environment:
        if environment.pubsub is None:
            raise RunnerError(environment.pubsub_missing)
        with streaming_pipeline(environment.pubsub, environment.dataset) as process:
            console.print("The pipeline runs until Ctrl-C. In a second terminal:\n")
            for name, value in environment.variables.items():
                console.print(f"export {name}={value}")
            console.print(
                f"{sys.executable} -m local_runner simulate --topic {environment.pubsub.topic}\n"
            )
            console.print(f"Dataset {environment.dataset}; log {process.log}")
            while True:
                check_running(process)
                time.sleep(1)


def _simulate(args: argparse.Namespace) -> None:
    messages = simulate(args.messages, args.seed, args.start)
    if args.output is not None:
        write_archive(
            messages, args.output, f"projects/{PROJECT}/subscriptions/exam-events", args.start
        )
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
        return
    check_named_emulators()
    if args.topic is not None:
        importer.to_topic(payloads, args.topic)
    else:
        importer.to_dataset(payloads, args.dataset, name)


_COMMANDS = {"demo": _demo, "up": _up, "simulate": _simulate, "import": _import}

if __name__ == "__main__":
    sys.exit(main())
