"""``exam-events``: every command of the project under one name."""

import importlib
import os
import sys
from collections.abc import Sequence

from gcp.arguments import PROGRAM

# Command, the module whose main() runs it, what comes before its arguments, and its line of help.
_COMMANDS = (
    ("run", "pipeline.main", (), "stream messages, or read files, into BigQuery"),
    ("capture", "pipeline.capture.__main__", (), "publish the changes of a PostgreSQL"),
    ("reconcile", "pipeline.reconcile", (), "compare messages published with messages stored"),
    ("replay", "pipeline.replay.__main__", (), "send dead letters back to the main topic"),
    ("erase", "pipeline.erase.__main__", (), "delete what is stored of persons"),
    ("pseudonym", "pipeline.pseudonym.__main__", (), "print the pseudonyms of persons' ids"),
    ("ddl apply", "ddl.__main__", ("apply",), "create or update tables, functions and views"),
    ("ddl check", "ddl.__main__", ("check",), "look for rows that should not be there"),
    ("ddl render", "ddl.__main__", ("render",), "write a family's SQL files from its contract"),
    ("warehouse run", "warehouse.__main__", ("run",), "bring the stored tables up to date"),
    (
        "warehouse status",
        "warehouse.__main__",
        ("status",),
        "show the last runs, and how far behind",
    ),
    ("warehouse load", "warehouse.__main__", ("load",), "load students, tests, ... from a file"),
    ("warehouse show", "warehouse.__main__", ("show",), "print the script of the next run"),
    (
        "warehouse fit_mastery_priors",
        "warehouse.__main__",
        ("fit_mastery_priors",),
        "fit priors of mastery to the evidence",
    ),
    ("dashboard", "dashboard.__main__", (), "show the numbers as a page in the browser"),
    ("doctor", "local_runner.doctor", (), "check the machine, access and resources of a run"),
    ("demo", "local_runner.__main__", ("demo",), "show the whole system on this machine"),
    ("up", "local_runner.__main__", ("up",), "keep the whole system running until Ctrl-C"),
    ("simulate", "local_runner.__main__", ("simulate",), "publish or write simulated traffic"),
    ("import", "local_runner.__main__", ("import",), "turn an exam log into events"),
)


def main() -> int:
    """Runs one command and returns its exit code: 0 done, 1 it failed, 2 wrong arguments."""
    try:
        try:
            return _run(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader closed the pipe. The interpreter flushes once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(argv: Sequence[str]) -> int:
    for name, module, before, _ in _COMMANDS:
        words = name.split()
        if argv[: len(words)] == words:
            rest = argv[len(words) :]
            sys.argv = [f"{PROGRAM} {' '.join(words[: len(words) - len(before)])}".strip(), *rest]
            return _call(name, module, [*before, *rest])
    if argv in ([], ["--help"], ["-h"]):
        print(_help(_COMMANDS))
        return 0
    asked = " ".join(word for word in argv[:2] if not word.startswith("-"))
    print(f"error: there is no command {asked}: see {PROGRAM} --help", file=sys.stderr)
    return 2


def _call(name: str, module: str, argv: Sequence[str]) -> int:
    try:
        main_of = importlib.import_module(module).main
    except ModuleNotFoundError as missing:
        extra = "dashboard" if name == "dashboard" else "local"
        print(
            f"error: {PROGRAM} {name} needs the package {missing.name}: install the extra {extra}",
            file=sys.stderr,
        )
        return 1
    code: int = main_of(argv)
    return code


def _help(commands: Sequence[tuple[str, str, tuple[str, ...], str]]) -> str:
    width = max(len(name) for name, *_ in commands)
    lines = [f"  {name:<{width}}  {text}" for name, _, _, text in commands]
    return "\n".join(
        [
            f"usage: {PROGRAM} COMMAND ...",
            "",
            *lines,
            "",
            f"{PROGRAM} COMMAND --help lists a command's options.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
