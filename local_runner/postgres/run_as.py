"""Runs a command as another user: ``python -I -S run_as.py UID COMMAND...``, started as root.

PostgreSQL refuses to run as root. Standard library only, so that it starts in milliseconds; the
user needs no access to this Python, since the command replaces it.
"""

import os
import sys


def main(user: int, command: list[str]) -> None:
    """Gives up root's rights and executes the command."""
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    os.chdir("/")
    os.execv(command[0], command)  # noqa: S606 - there is no shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
